const POINTS = 400
const PAUSE_MS = 250 // the finger rests when nothing has moved for so long, or when it is lifted
const PAD = { left: 30, top: 8, bottom: 22 }
const GUTTER = 92 // for the names of the bands, where there is room
const DASHES = ["10 10", "3 6", "18 8", "14 5 3 5", "2 9", "24 14"] // of the second colour over the first, per boundary
const LAST_POINT = 1e-3 // settings closer than this are the same: a link keeps four decimals
const QUANTITIES = [
  { name: "Frequency", step: 0.05, show: v => `${v.toFixed(2)} Hz` },
  { name: "Amplitude", step: 0.01, show: v => v.toFixed(2) },
  { name: "Phase", step: 0.02, show: v => `${v.toFixed(2)} rad · ${(v / Math.PI).toFixed(2)} π` },
]
const CORNERS = { CD: [0, -1], SD: [1, 0], CuD: [0, 1], ED: [-1, 0] } // as on the radar

const labs = new WeakMap()

export default function (component) {
  const root = component.parentElement
  if (!labs.has(root)) labs.set(root, new Lab(root))
  labs.get(root).receive(component.data, component.setStateValue)
  return () => {
    labs.get(root)?.end()
    labs.delete(root)
  }
}

class Lab {
  constructor(root) {
    this.find = selector => root.querySelector(selector)
    this.chosen = 0
    this.seconds = 0
    this.settings = null
    this.revision = null
    this.still = matchMedia("(prefers-reduced-motion: reduce)")
  }

  receive(data, send) {
    this.send = send
    const first = this.data === undefined
    this.data = data
    // An echo of what was sent from here must not move the slider back under the finger.
    if (this.revision !== data.revision) {
      clearTimeout(this.timer)
      this.revision = data.revision
      this.settings = data.settings.map(triple => [...triple])
    }
    if (first) this.build()
    this.frame()
    this.drawAll()
    this.describe()
  }

  end() {
    clearTimeout(this.timer)
    cancelAnimationFrame(this.animation)
    this.observer?.disconnect()
  }

  // ── Built once ──

  build() {
    const { boundaries, starts, highest } = this.data
    for (const [name, settings] of starts) {
      const button = append(this.find(".starts"), "button", { type: "button" }, name)
      button.onclick = () => {
        this.settings = settings.map(triple => [...triple])
        this.drawAll()
        this.rest()
      }
    }
    this.find(".play").onclick = () => (this.animation ? this.pause() : this.play())
    const cursor = this.find(".cursor")
    Object.assign(cursor, { min: 0, max: this.data.seconds, step: 0.01, value: 0 })
    cursor.oninput = () => {
      this.seconds = Number(cursor.value)
      this.pause()
    }
    const chips = append(this.find(".boundaries"), "div", { class: "chips" })
    this.chips = boundaries.map((boundary, index) => {
      const label = append(chips, "label", { class: "chip" })
      const radio = append(label, "input", { type: "radio", name: "boundary", value: boundary.name })
      radio.onchange = () => {
        this.chosen = index
        this.drawAll()
      }
      append(label, "span", { class: "name" }, boundary.label)
      const now = append(label, "span", { class: "now" })
      const sample = append(label, "svg", { "aria-hidden": "true" })
      this.strands(sample, index).forEach(line => line.setAttribute("d", "M0 4H2000"))
      return { radio, now, settings: append(label, "span", { class: "settings" }) }
    })
    this.sliders = QUANTITIES.map((quantity, index) => {
      const place = append(this.find(".sliders"), "div", { class: "slider" })
      const id = `slider-${index}`
      append(place, "label", { for: id }, quantity.name)
      const output = append(place, "output", { for: id })
      const range = { type: "range", id, min: 0, max: highest[index], step: quantity.step }
      const input = append(place, "input", range)
      let held = false
      input.onpointerdown = () => (held = true)
      input.onpointercancel = () => (held = false)
      input.oninput = () => {
        this.settings[this.chosen][index] = Number(input.value)
        this.drawChosen()
        this.rest(PAUSE_MS)
      }
      input.onchange = () => {
        // A pointer was lifted; a key may be pressed again.
        if (held) this.rest()
        held = false
      }
      return { input, output }
    })
    this.observer = new ResizeObserver(() => {
      this.frame()
      this.drawAll()
    })
    this.observer.observe(this.find(".curves"))
  }

  /** Two lines of one boundary: the colour of one side, and over it dashes in the colour of the other. */
  strands(svg, index) {
    const [first, second] = this.data.boundaries[index].sides
    return [
      append(svg, "path", { fill: "none", style: `stroke: var(--${first})` }),
      append(svg, "path", { fill: "none", style: `stroke: var(--${second})`, "stroke-dasharray": DASHES[index] }),
    ]
  }

  // ── Drawn for the width there is ──

  frame() {
    const width = Math.max(this.find(".curves").clientWidth, 240)
    const narrow = width < 500
    const height = narrow ? 260 : 330
    const right = narrow ? width - 8 : width - GUTTER
    this.box = { width, height, narrow, right, bottom: height - PAD.bottom }
    // The middle of its thumb stands below the line it moves.
    this.find(".cursor").style.cssText = `margin-left: ${PAD.left - 8}px; width: ${right - PAD.left + 16}px`
    this.frameCurves()
    this.frameNet()
  }

  x(seconds) {
    return PAD.left + (seconds / this.data.seconds) * (this.box.right - PAD.left)
  }

  y(permeability) {
    return this.box.bottom - permeability * (this.box.bottom - PAD.top)
  }

  frameCurves() {
    const { width, height, narrow, right, bottom } = this.box
    const svg = this.find(".curves svg")
    svg.setAttribute("height", height)
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`)
    svg.replaceChildren()
    this.data.bands.forEach(([status, low, high], index) => {
      const area = { x: PAD.left, width: right - PAD.left, y: this.y(high), height: this.y(low) - this.y(high) }
      append(svg, "rect", { ...area, fill: "currentColor", opacity: 0.02 + index * 0.045 })
    })
    for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      const label = { class: "tick", x: PAD.left - 6, y: this.y(tick) + 4, "text-anchor": "end" }
      append(svg, "text", label, tick.toFixed(1))
    }
    for (let second = 0; second <= this.data.seconds; second++) {
      const anchor = second === this.data.seconds ? "end" : "middle"
      append(svg, "text", { class: "tick", x: this.x(second), y: bottom + 16, "text-anchor": anchor }, `${second} s`)
    }
    this.base = append(svg, "path", { class: "base", stroke: "currentColor", opacity: 0.5, "stroke-dasharray": "2 5" })
    this.curves = this.data.boundaries.map((boundary, index) => {
      const group = append(svg, "g", { class: "curve", "data-boundary": boundary.name })
      append(group, "title", {}, boundary.label)
      return { group, lines: this.strands(group, index) }
    })
    this.line = append(svg, "line", { class: "moment", y1: PAD.top, y2: bottom, stroke: "currentColor", opacity: 0.6 })
    this.dots = this.data.boundaries.map(({ sides: [first, second] }) =>
      append(svg, "circle", { r: 4.5, "stroke-width": 2.5, style: `fill: var(--${first}); stroke: var(--${second})` })
    )
    for (const [status, low, high] of this.data.bands) {
      const inside = { x: right - 6, y: this.y(high) + 15, "text-anchor": "end" }
      const beside = { x: right + 10, y: this.y((low + high) / 2) + 4 }
      append(svg, "text", { class: "band", ...(narrow ? inside : beside) }, status)
    }
  }

  frameNet() {
    const svg = this.find(".net svg")
    const [reach, middle] = [98, [160, 136]]
    const at = domain => CORNERS[domain].map((part, axis) => middle[axis] + part * reach)
    svg.setAttribute("viewBox", `0 0 ${2 * middle[0]} ${2 * middle[1]}`)
    svg.replaceChildren()
    const paint = append(svg, "defs", {})
    const edges = append(svg, "g", {})
    this.edges = this.data.boundaries.map((boundary, index) => {
      const [[x1, y1], [x2, y2]] = boundary.sides.map(at)
      const mix = append(paint, "linearGradient", { id: `edge-${index}`, gradientUnits: "userSpaceOnUse", x1, y1, x2, y2 })
      append(mix, "stop", { offset: "15%", style: `stop-color: var(--${boundary.sides[0]})` })
      append(mix, "stop", { offset: "85%", style: `stop-color: var(--${boundary.sides[1]})` })
      const line = append(edges, "line", { x1, y1, x2, y2, stroke: `url(#edge-${index})`, "stroke-linecap": "round" })
      const title = append(line, "title", {})
      // The two diagonals cross in the middle: their values stand aside.
      const share = x1 === x2 || y1 === y2 ? 0.3 : 0.5
      const place = { x: x1 + (x2 - x1) * share, y: y1 + (y2 - y1) * share + 4, "text-anchor": "middle" }
      return { line, title, value: append(svg, "text", { class: "value", ...place }) }
    })
    for (const [domain, label] of this.data.domains) {
      const [x, y] = at(domain)
      append(svg, "circle", { cx: x, cy: y, r: 9, style: `fill: var(--${domain})` })
      const [side, below] = CORNERS[domain]
      const beside = { x: x - side * 8, y: y - 20, "text-anchor": side > 0 ? "start" : "end" }
      const place = side ? beside : { x, y: y + (below > 0 ? 27 : -17), "text-anchor": "middle" }
      append(svg, "text", { ...place, style: `fill: var(--${domain}); font-weight: 600` }, label)
    }
  }

  // ── Drawn again and again ──

  drawAll() {
    this.data.boundaries.forEach((_, index) => this.drawCurve(index))
    this.chips.forEach(({ radio }, index) => (radio.checked = index === this.chosen))
    const { label } = this.data.boundaries[this.chosen]
    this.sliders.forEach(({ input }, index) => {
      input.value = this.settings[this.chosen][index]
      input.setAttribute("aria-label", `${QUANTITIES[index].name} of ${label}`)
    })
    this.drawChosen()
  }

  /** What a slider moves. */
  drawChosen() {
    const base = this.y(this.data.boundaries[this.chosen].base)
    this.base.setAttribute("d", `M${PAD.left} ${base}H${this.box.right}`)
    this.sliders.forEach(({ input, output }, index) => {
      output.value = QUANTITIES[index].show(this.settings[this.chosen][index])
      input.setAttribute("aria-valuetext", output.value)
    })
    for (const [index, button] of [...this.find(".starts").querySelectorAll("button")].entries()) {
      button.setAttribute("aria-pressed", same(this.settings, this.data.starts[index][1]))
    }
    this.drawCurve(this.chosen)
    this.drawMoment()
  }

  drawCurve(index) {
    const { base } = this.data.boundaries[index]
    let path = ""
    for (let point = 0; point <= POINTS; point++) {
      const seconds = (point / POINTS) * this.data.seconds
      const value = permeabilityAt(base, this.settings[index], seconds)
      path += `${point ? "L" : "M"}${this.x(seconds).toFixed(1)} ${this.y(value).toFixed(1)}`
    }
    const { group, lines } = this.curves[index]
    const chosen = index === this.chosen
    lines.forEach(line => line.setAttribute("d", path))
    group.setAttribute("stroke-width", chosen ? 3.5 : 1.75)
    group.setAttribute("opacity", chosen ? 1 : 0.6)
    const [frequency, amplitude, phase] = this.settings[index]
    const turn = `${(phase / Math.PI).toFixed(2)} π`
    this.chips[index].settings.textContent = `${frequency.toFixed(2)} Hz · ±${amplitude.toFixed(2)} · ${turn}`
  }

  /** The six permeabilities at the cursor's time. */
  drawMoment() {
    const x = this.x(this.seconds)
    this.line.setAttribute("x1", x)
    this.line.setAttribute("x2", x)
    this.find(".cursor").value = this.seconds
    this.find(".cursor").setAttribute("aria-valuetext", `${this.seconds.toFixed(2)} seconds`)
    this.find(".play").textContent = `${this.animation ? "❚❚ Pause" : "▶ Play"} · ${this.seconds.toFixed(2)} s`
    this.data.boundaries.forEach((boundary, index) => {
      const value = this.valueOf(index)
      this.dots[index].setAttribute("cx", x)
      this.dots[index].setAttribute("cy", this.y(value))
      this.chips[index].now.textContent = value.toFixed(2)
      const { line, title, value: text } = this.edges[index]
      line.setAttribute("stroke-width", 1.5 + 11 * value ** 2)
      line.setAttribute("opacity", 0.3 + 0.7 * value)
      title.textContent = `${boundary.label}: ${value.toFixed(2)}, ${this.statusOf(value)}`
      text.textContent = value.toFixed(2)
      text.classList.toggle("chosen", index === this.chosen)
    })
  }

  valueOf(index) {
    return permeabilityAt(this.data.boundaries[index].base, this.settings[index], this.seconds)
  }

  statusOf(value) {
    return this.data.bands.findLast(([, low]) => value > low)?.[0] ?? this.data.bands[0][0]
  }

  /** In words, for those who cannot see it; not while something moves. */
  describe() {
    const values = this.data.boundaries.map((boundary, index) => {
      const value = this.valueOf(index)
      return `${boundary.label} ${value.toFixed(2)} ${this.statusOf(value)}`
    })
    const words = `Permeability after ${this.seconds.toFixed(2)} seconds: ${values.join(", ")}.`
    this.find(".curves svg").setAttribute("aria-label", `Six curves over ${this.data.seconds} seconds. ${words}`)
    this.find(".net svg").setAttribute("aria-label", `The four domains and the six boundaries between them. ${words}`)
  }

  // ── Time ──

  play() {
    const start = performance.now() - (this.seconds < this.data.seconds ? this.seconds * 1000 : 0)
    this.find(".play").setAttribute("aria-pressed", "true")
    const step = now => {
      let passed = Math.max(now - start, 0) / 1000
      const over = this.still.matches && passed >= this.data.seconds
      // Who wants little motion sees a few still pictures, once.
      if (this.still.matches) passed = Math.min(Math.floor(passed * 2) / 2, this.data.seconds)
      else passed %= this.data.seconds
      const moved = passed !== this.seconds
      this.seconds = passed
      if (over) this.pause()
      else {
        this.animation = requestAnimationFrame(step)
        if (moved) this.drawMoment()
      }
    }
    this.animation = requestAnimationFrame(step)
    this.drawMoment()
  }

  pause() {
    cancelAnimationFrame(this.animation)
    this.animation = undefined
    this.find(".play").setAttribute("aria-pressed", "false")
    this.drawMoment()
    this.describe()
  }

  // ── To the server ──

  /** Tell the server once the settings have rested for so long. */
  rest(milliseconds = 0) {
    clearTimeout(this.timer)
    const tell = () => {
      this.describe()
      this.send("settings", this.settings.map(triple => [...triple]))
    }
    if (milliseconds) this.timer = setTimeout(tell, milliseconds)
    else tell()
  }
}

function same(some, others) {
  return some.flat().every((value, index) => Math.abs(value - others.flat()[index]) < LAST_POINT)
}

const GRAPHIC = new Set(["svg", "g", "path", "line", "rect", "circle", "text", "title", "defs", "linearGradient", "stop"])

function append(parent, kind, attributes, text) {
  const element = GRAPHIC.has(kind)
    ? document.createElementNS("http://www.w3.org/2000/svg", kind)
    : document.createElement(kind)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  if (text !== undefined) element.textContent = text
  return parent.appendChild(element)
}
