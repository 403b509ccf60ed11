// A bot on Koishi: it listens for OneBot 11 at 127.0.0.1:$PORT/onebot, and knows /echo and /img.
const { Context, h } = require('koishi')
const Http = require('@koishijs/plugin-http')
const Server = require('@koishijs/plugin-server')
const OneBot = require('koishi-plugin-adapter-onebot')

const plugin = (loaded) => loaded.default ?? loaded
const app = new Context()
if (!app.http) app.plugin(plugin(Http))
app.plugin(plugin(Server), { host: '127.0.0.1', port: Number(process.env.PORT) })
app.plugin(plugin(OneBot), { protocol: 'ws-reverse', path: '/onebot', selfId: '10001000' })
app.middleware((session, next) => {
  if (session.content.startsWith('/echo ')) return session.content.slice('/echo '.length)
  if (session.content.startsWith('/img')) {
    const bytes = Buffer.from('89504e470d0a1a0a', 'hex')
    return h('message', h.image(bytes, 'image/png'), 'pic')
  }
  return next()
})
app.start()
