// M puts the cursor into the comment, Escape takes it out again, so that the other keys work. Everything else a rater
// presses is a shortcut of a button.
const COMMENT = 'textarea[aria-label="Comment"]'

function onKey(event) {
  const comment = document.querySelector(COMMENT)
  if (!comment || event.ctrlKey || event.metaKey || event.altKey) return
  const active = document.activeElement
  const writing = active && (active.matches("input, textarea, select") || active.isContentEditable)
  if (event.key === "Escape" && active === comment) {
    comment.blur()
    event.preventDefault()
  } else if (event.key.toLowerCase() === "m" && !writing) {
    comment.focus()
    comment.scrollIntoView({ block: "nearest" })
    event.preventDefault()
  }
}

export default function () {
  document.addEventListener("keydown", onKey)
  return () => document.removeEventListener("keydown", onKey)
}
