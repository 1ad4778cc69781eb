// Copyright: Greenlight contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import { createHash, randomInt, timingSafeEqual } from 'node:crypto'

const PREFIX = '/.greenlight/'
const DRAIN = `${PREFIX}drain`
const SOCKETS = `${PREFIX}sockets`
const MOVED = 4012
const SERVICE_RESTART = 1012
const REASON = 'moved: connect again'
const UNCLASSED = 'none'
const LARGEST_BODY = 8192
const LONGEST = 86400

/** A request that is answered with `status` and a sentence. */
class Refused extends Error {
  constructor(status, sentence) {
    super(sentence)
    this.status = status
  }
}

/** The classes in a list such as `0-9,15`, `none` or `all`; throws a sentence about the part that cannot be read. */
export function parseClasses(text) {
  const found = new Set()
  for (const part of text.split(',')) {
    const match = /^([0-9]{1,2})(?:-([0-9]{1,2}))?$/.exec(part)
    const [first, last] = match ? [Number(match[1]), Number(match[2] ?? match[1])] : [0, part === 'all' ? 99 : -1]
    if (last < first && part !== UNCLASSED) {
      throw new Refused(400, `classes: "${part.slice(0, 20)}" is no class: expected 0 to 99, a range, none or all`)
    }
    for (let number = first; number <= last; number += 1) found.add(`c${String(number).padStart(2, '0')}`)
    if (part === 'all' || part === UNCLASSED) found.add(UNCLASSED)
  }
  return found
}

/** One open WebSocket and what is being done with its messages. */
class OpenSocket {
  constructor(socket, name, grace) {
    this.name = name
    this.isAsked = false
    this.isDrained = false
    this.socket = socket
    this.grace = grace
    this.atWork = 0
    this.isDue = false
  }

  /** Leave in `seconds`; asked twice, at the earlier of the two moments. */
  ask(seconds, code) {
    this.isAsked = true
    const due = Date.now() + seconds * 1000
    if (this.isDue || this.due <= due) return
    this.due = due
    this.code = code
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.leave(), seconds * 1000)
  }

  leave() {
    this.isDue = true
    this.timer = setTimeout(() => this.close(), this.grace * 1000)
    if (this.atWork === 0) this.close()
  }

  close() {
    clearTimeout(this.timer)
    if (this.isDrained) return
    this.isDrained = true
    this.socket.close(this.code, REASON)
  }

  /** Messages that come after the moment are left to the next connection; those at work are finished. */
  async handle(handler, args) {
    if (this.isDue) return
    this.atWork += 1
    try {
      await handler(...args)
    } finally {
      this.atWork -= 1
      if (this.isDue && this.atWork === 0) this.close()
    }
  }
}

/**
 * The open WebSockets of a process, and the answers to its deployment.
 *
 * `token`: what a request must bring. `grace`: seconds that handlers at work have to finish. `serviceRestart`: close with
 * 1012 where that is asked for. `choose(over)`: the seconds after which a socket leaves.
 */
export class Drain {
  #sockets = new Set()
  #token
  #options
  #requests = 0
  #closed = 0
  #byThemselves = 0

  constructor({
    token = process.env.GREENLIGHT_CONTROL_TOKEN ?? '',
    grace = 10,
    serviceRestart = true,
    choose = (over) => (randomInt(2 ** 32) / 2 ** 32) * over,
  } = {}) {
    this.#token = token
    this.#options = { grace, serviceRestart, choose }
  }

  /** Know a socket and the request that opened it; returns what wraps its message handlers. */
  add(socket, request) {
    const given = String(request.headers['x-greenlight-class'] ?? '')
    const open = new OpenSocket(socket, /^c[0-9]{2}$/.test(given) ? given : UNCLASSED, this.#options.grace)
    this.#sockets.add(open)
    socket.once('close', () => {
      clearTimeout(open.timer)
      this.#sockets.delete(open)
      if (open.isDrained) this.#closed += 1
      else if (open.isAsked) this.#byThemselves += 1
    })
    return (handler) => (...args) => open.handle(handler, args)
  }

  /** The listener for an HTTP server's requests: those of the contract are answered here, the others by `next`. */
  handler(next) {
    return (request, response) => {
      const path = request.url.split('?', 1)[0]
      if (path.startsWith(PREFIX)) {
        this.#control(request, response, path)
        return
      }
      this.#requests += 1
      response.once('close', () => {
        this.#requests -= 1
      })
      next(request, response)
    }
  }

  /** What is open now, by class, and how those that were asked have ended since the process began. */
  report() {
    const classes = {}
    for (const { name } of this.#sockets) classes[name] = (classes[name] ?? 0) + 1
    return {
      open: this.#sockets.size,
      classes,
      leaving: [...this.#sockets].filter((socket) => socket.isAsked).length,
      closed: this.#closed,
      by_themselves: this.#byThemselves,
      requests: this.#requests,
    }
  }

  async #control(request, response, path) {
    let [status, answer] = [500, {}]
    try {
      if (!this.#isKnown(request.headers['x-greenlight-control'])) throw new Refused(404, 'not found')
      ;[status, answer] = await this.#answer(request, path)
    } catch (error) {
      ;[status, answer] = [error.status ?? 500, { error: error.message }]
    }
    const body = JSON.stringify(answer)
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', connection: 'close' }
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
  }

  #isKnown(brought) {
    const [one, other] = [this.#token, String(brought ?? '')].map((text) => createHash('sha256').update(text).digest())
    return timingSafeEqual(one, other) && this.#token !== ''
  }

  async #answer(request, path) {
    if (path === SOCKETS && request.method === 'GET') return [200, this.report()]
    if (path === DRAIN && request.method === 'POST') return [202, this.#drain(parseObject(await read(request)))]
    throw new Refused([DRAIN, SOCKETS].includes(path) ? 405 : 404, `${request.method} ${path} is not in the contract`)
  }

  #drain(wanted) {
    const names = parseClasses(String(wanted.classes ?? ''))
    const over = wanted.over ?? 0
    if (typeof over !== 'number' || !(over >= 0 && over <= LONGEST)) {
      throw new Refused(400, `over: expected seconds from 0 to ${LONGEST}`)
    }
    const code = this.#options.serviceRestart && wanted.code === SERVICE_RESTART ? SERVICE_RESTART : MOVED
    const before = this.report()
    const asked = [...this.#sockets].filter((socket) => names.has(socket.name))
    for (const socket of asked) socket.ask(this.#options.choose(over), code)
    return { asked: asked.length, code, ...before }
  }
}

async function read(request) {
  const parts = []
  let size = 0
  for await (const part of request) {
    size += part.length
    if (size > LARGEST_BODY) throw new Refused(413, `more than ${LARGEST_BODY} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function parseObject(text) {
  let value
  try {
    value = JSON.parse(text)
  } catch {
    value = null
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Refused(400, 'expected a JSON object')
  }
  return value
}
