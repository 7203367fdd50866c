const drawn = new WeakMap()

export default function ({ parentElement: root, data }) {
  if (!drawn.has(root)) drawn.set(root, new Matrices(root, data))
  drawn.get(root).receive(data)
  return () => drawn.delete(root)
}

class Matrices {
  constructor(root, { domains, boundaries, names }) {
    this.find = selector => root.querySelector(selector)
    const columns = boundaries.map(heading)
    this.resonances = build(this.find(".resonances"), columns, columns, () => [])
    const parts = cell => [append(cell, "span", "was"), append(cell, "span", "now"), append(cell, "span", "bar")]
    const rows = names.map(name => document.createTextNode(name))
    this.qualities = build(this.find(".qualities"), rows, columns, parts)
    for (const [domain, label] of domains) {
      const entry = append(this.find(".key"), "span")
      entry.append(coloured(domain), ` ${label}`)
    }
  }

  receive({ boundaries, names, resonances, resonancesInWords, qualities, qualitiesInWords }) {
    put(this.find("#resonances-in-words"), resonancesInWords)
    put(this.find("#qualities-in-words"), qualitiesInWords)
    each(resonances, (pair, row, column) => {
      const { cell } = this.resonances[row][column]
      cell.className = pair === null ? "self" : pair.together ? "together" : ""
      if (pair === null) return
      put(cell, pair.strength)
      const verdict = pair.together ? "swing together" : "do not swing together"
      cell.title = `${boundaries[row].label}\n${boundaries[column].label}\n${verdict}, ${pair.strength}`
    })
    each(qualities, ({ was, now, wasText, nowText, sign }, row, column) => {
      const { cell, parts } = this.qualities[row][column]
      const before = sign ? `${wasText} →` : ""
      cell.className = sign ? "changed" : ""
      put(parts[0], before)
      put(parts[1], `${["▼ ", "", "▲ "][sign + 1]}${nowText}`)
      cell.style.setProperty("--change", Math.abs(now - was))
      parts[2].style.setProperty("--was", within(was))
      parts[2].style.setProperty("--now", within(now))
      cell.title = `${boundaries[column].label}\n${names[row]} ${before} ${nowText}`
    })
  }
}

/** Rows and columns with their headings; of each cell the parts it is filled with. */
function build(table, rows, columns, fill) {
  const head = append(table.tHead, "tr")
  append(head, "td", "self")
  for (const column of columns) append(head, "th").append(column.cloneNode(true))
  for (const heading of head.querySelectorAll("th")) heading.scope = "col"
  return rows.map(name => {
    const row = append(table.tBodies[0], "tr")
    const first = append(row, "th")
    first.scope = "row"
    first.append(name.cloneNode(true))
    return columns.map(() => {
      const cell = append(row, "td")
      return { cell, parts: fill(cell) }
    })
  })
}

/** "CD–SD", each side in its colour. */
function heading({ label, sides }) {
  const name = document.createElement("span")
  name.title = label
  sides.forEach((side, index) => name.append(index ? "–" : "", coloured(side)))
  return name
}

function coloured(domain) {
  const name = document.createElement("b")
  name.style.color = `var(--${domain})`
  name.textContent = domain
  return name
}

function each(matrix, draw) {
  matrix.forEach((row, index) => row.forEach((entry, column) => draw(entry, index, column)))
}

function within(value) {
  return Math.min(Math.max(value, 0), 1)
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function append(parent, kind, name) {
  const element = document.createElement(kind)
  if (name) element.className = name
  return parent.appendChild(element)
}
