// Draws the message with its parts tinted. Everything is set as text, never as markup: the message is foreign.
export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector("#words")
  root.replaceChildren(...data.parts.map(part => {
    if (!part.domain) return document.createTextNode(part.text)
    const word = document.createElement("span")
    word.textContent = part.text
    word.title = part.hint
    word.tabIndex = 0
    word.setAttribute("aria-label", `${part.text}: ${part.hint}`)
    word.className = `word ${part.domain}`
    word.style.setProperty("--share", `${Math.round(part.share * 100)}%`)
    return word
  }))
}
