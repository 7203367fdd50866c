// Right, Page Down and Space go on, Left and Page Up go back: what the remote control of a presenter sends.
// C and R are Streamlit's own.
const KEYS = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 }
const REST_MS = 300
const ASKS = { n: "notes", p: "present" }
const MOVED_BY_KEYS = "input, textarea, select, [contenteditable=true], [role=slider], [role=radio], [role=tab], [role=combobox], [role=listbox], [role=menu], [role=dialog]"
const PRESSED_BY_SPACE = "button, a, summary, [role=button]"

const bars = new WeakMap()

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  let bar = bars.get(parentElement)
  if (!bar) {
    bar = { step: data.step }
    bar.onKey = event => press(bar, event)
    bar.onSize = () => bar.tellSize()
    bars.set(parentElement, bar)
    document.addEventListener("keydown", bar.onKey)
    window.addEventListener("resize", bar.onSize)
  }
  const moved = bar.drawn !== undefined && bar.drawn !== data.step
  Object.assign(bar, { step: data.step, drawn: data.step, last: data.names.length, ask: what => setTriggerValue("asked", what) })
  bar.tellSize = () => {
    clearTimeout(bar.timer)
    const size = [window.innerWidth, window.innerHeight]
    if (!data.presenting || String(size) === bar.size) return
    const tell = () => {
      bar.size = String(size)
      setStateValue("view", size)
    }
    // A window that is being pulled larger has many sizes.
    if (bar.size) bar.timer = setTimeout(tell, REST_MS)
    else tell()
  }
  bar.tellSize()
  draw(parentElement, data, bar)
  if (moved) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0)
  return () => {
    clearTimeout(bar.timer)
    document.removeEventListener("keydown", bar.onKey)
    window.removeEventListener("resize", bar.onSize)
    bars.delete(parentElement)
  }
}

function draw(root, { step, names }, bar) {
  root.querySelector(".now").textContent = `${step} of ${names.length} · ${names[step - 1]}`
  const list = root.querySelector("ol")
  if (list.children.length !== names.length) list.replaceChildren(...names.map((name, index) => built(name, index + 1, bar)))
  for (const [index, item] of [...list.children].entries()) {
    item.className = index + 1 < step ? "done" : ""
    if (index + 1 === step) item.firstChild.setAttribute("aria-current", "step")
    else item.firstChild.removeAttribute("aria-current")
  }
}

function built(name, number, bar) {
  const item = document.createElement("li")
  const button = document.createElement("button")
  button.type = "button"
  button.title = name
  button.onclick = () => go(bar, number)
  const dot = document.createElement("span")
  dot.className = "dot"
  const label = document.createElement("span")
  label.className = "name"
  label.textContent = name
  button.append(dot, label)
  item.append(button)
  return item
}

function press(bar, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
  // What is focused may be in a component's own tree.
  const [target] = event.composedPath()
  if (target.closest?.(MOVED_BY_KEYS) || document.querySelector("[role=dialog]")) return
  if (event.key === " " && target.closest?.(PRESSED_BY_SPACE)) return
  const by = KEYS[event.key]
  const asks = ASKS[event.key.toLowerCase()]
  if (by) go(bar, bar.step + by)
  else if (asks && !event.repeat) bar.ask(asks)
  else return
  event.preventDefault()
}

// The step is told, not the direction: keys pressed quickly come together.
function go(bar, to) {
  if (to < 1 || to > bar.last || to === bar.step) return
  bar.step = to
  bar.ask({ step: to })
}
