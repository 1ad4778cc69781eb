// Copyright: Greenlight contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import test from 'node:test'

import { Drain, parseClasses } from '../index.js'

const TOKEN = 'a token of the tests'
const REASON = 'moved: connect again'

/** What `ws` gives for a connection, as far as the helper uses it. */
class Socket extends EventEmitter {
  sent = []

  close(code, reason) {
    this.sent.push([code, reason])
    this.emit('close', code)
  }
}

/** A server around `drain`; `ask` sends it a request and gives the status and the JSON value of the answer. */
async function serve(t, drain, next = (request, response) => response.end('{}')) {
  const server = createServer(drain.handler(next))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return async (method, path, body, token = TOKEN) => {
    const headers = token === null ? {} : { 'x-greenlight-control': token }
    const answer = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { method, headers, body })
    return [answer.status, await answer.json()]
  }
}

function connect(drain, name) {
  const socket = new Socket()
  const whole = drain.add(socket, { headers: name ? { 'x-greenlight-class': name } : {} })
  return { socket, whole }
}

const everybody = JSON.stringify({ classes: 'all', over: 0 })
const closed = (socket) => (socket.sent.length ? null : once(socket, 'close'))

test('an asked socket is closed, others and later ones stay', async (t) => {
  const drain = new Drain({ token: TOKEN })
  const ask = await serve(t, drain)
  const [leaving, staying] = ['c03', 'c50'].map((name) => connect(drain, name).socket)
  const [status, answer] = await ask('POST', '/.greenlight/drain', JSON.stringify({ classes: '0-9', over: 0 }))
  const late = connect(drain, 'c03').socket
  assert.deepEqual([status, answer.asked, answer.open, answer.code], [202, 1, 2, 4012])
  await closed(leaving)
  assert.deepEqual([leaving.sent, staying.sent, late.sent], [[[4012, REASON]], [], []])
  const [, report] = await ask('GET', '/.greenlight/sockets')
  assert.deepEqual(report, { open: 2, classes: { c50: 1, c03: 1 }, leaving: 0, closed: 1, by_themselves: 0, requests: 0 })
})

test('a handler at work finishes before the close, and messages after the moment are left', async (t) => {
  const drain = new Drain({ token: TOKEN })
  const ask = await serve(t, drain)
  const { socket, whole } = connect(drain)
  const began = []
  let finish
  socket.on('message', whole(async (text) => {
    began.push(text)
    await new Promise((resolve) => { finish = resolve })
    socket.sent.push(`ack ${text}`)
  }))
  socket.emit('message', 'one')
  await ask('POST', '/.greenlight/drain', everybody)
  await new Promise((resolve) => setTimeout(resolve, 20))
  socket.emit('message', 'two')
  assert.deepEqual([began, socket.sent], [['one'], []])
  finish()
  await once(socket, 'close')
  assert.deepEqual(socket.sent, ['ack one', [4012, REASON]])
})

test('a handler that never finishes is closed after the grace', async (t) => {
  const drain = new Drain({ token: TOKEN, grace: 0 })
  const ask = await serve(t, drain)
  const { socket, whole } = connect(drain)
  socket.on('message', whole(() => new Promise(() => {})))
  socket.emit('message', 'one')
  await ask('POST', '/.greenlight/drain', everybody)
  await closed(socket)
  assert.deepEqual(socket.sent, [[4012, REASON]])
})

test('asked twice the earlier moment counts, within the time', async (t) => {
  const asked = []
  const moments = [3600, 0, 3600]
  const drain = new Drain({ token: TOKEN, choose: (over) => asked.push(over) && moments.shift() })
  const ask = await serve(t, drain)
  const { socket } = connect(drain)
  await ask('POST', '/.greenlight/drain', JSON.stringify({ classes: 'none', over: 7.5 }))
  assert.equal((await ask('GET', '/.greenlight/sockets'))[1].leaving, 1)
  await ask('POST', '/.greenlight/drain', everybody)
  await closed(socket)
  assert.deepEqual([asked, socket.sent], [[7.5, 0], [[4012, REASON]]])
})

test('who goes before the moment went by itself', async (t) => {
  const drain = new Drain({ token: TOKEN, choose: () => 3600 })
  const ask = await serve(t, drain)
  const { socket } = connect(drain)
  await ask('POST', '/.greenlight/drain', everybody)
  socket.emit('close', 1001)
  const { by_themselves: byThemselves, open } = drain.report()
  assert.deepEqual([byThemselves, open, socket.sent], [1, 0, []])
})

test('service restart where it is allowed', async (t) => {
  for (const [serviceRestart, code] of [[true, 1012], [false, 4012]]) {
    const drain = new Drain({ token: TOKEN, serviceRestart })
    const ask = await serve(t, drain)
    const { socket } = connect(drain)
    const [, answer] = await ask('POST', '/.greenlight/drain', JSON.stringify({ classes: 'all', over: 0, code: 1012 }))
    await closed(socket)
    assert.deepEqual([answer.code, socket.sent], [code, [[code, REASON]]])
  }
})

test('requests of others pass and are counted while they last', async (t) => {
  const drain = new Drain({ token: TOKEN })
  const ask = await serve(t, drain, (request, response) => response.end(JSON.stringify(drain.report())))
  const [status, answer] = await ask('GET', '/orders')
  assert.deepEqual([status, answer.requests], [200, 1])
})

test('without the token nothing is there', async (t) => {
  for (const [token, brought] of [[TOKEN, null], [TOKEN, ''], [TOKEN, `${TOKEN}x`], ['', ''], ['', null], ['', TOKEN]]) {
    const ask = await serve(t, new Drain({ token }))
    for (const [method, path] of [['POST', 'drain'], ['GET', 'sockets'], ['GET', 'other']]) {
      assert.deepEqual(await ask(method, `/.greenlight/${path}`, undefined, brought), [404, { error: 'not found' }])
    }
  }
})

test('what is not in the contract is refused with a sentence', async (t) => {
  const ask = await serve(t, new Drain({ token: TOKEN }))
  const cases = [
    ['GET', 'drain', undefined, 405], ['POST', 'sockets', '', 405], ['GET', 'other', undefined, 404],
    ['POST', 'drain', '', 400], ['POST', 'drain', '[]', 400], ['POST', 'drain', 'null', 400], ['POST', 'drain', '{}', 400],
    ['POST', 'drain', '{"classes": "100"}', 400], ['POST', 'drain', '{"classes": "all", "over": -1}', 400],
    ['POST', 'drain', '{"classes": "all", "over": "5"}', 400], ['POST', 'drain', ' '.repeat(9000), 413],
  ]
  for (const [method, path, body, status] of cases) {
    const [answered, answer] = await ask(method, `/.greenlight/${path}`, body)
    assert.deepEqual([answered, Object.keys(answer)], [status, ['error']], `${method} ${path} ${body}`)
  }
})

test('lists of classes', () => {
  assert.deepEqual([...parseClasses('0-2,15')], ['c00', 'c01', 'c02', 'c15'])
  assert.deepEqual([...parseClasses('5,5,none')], ['c05', 'none'])
  assert.equal(parseClasses('all').size, 101)
  for (const text of ['', '100', '9-1', 'a', '1-', '-1', '1,,2', '1 ']) {
    assert.throws(() => parseClasses(text), /is no class/, text)
  }
})
