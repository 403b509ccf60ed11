// A bot on Koishi: it connects to the Satori server at $ENDPOINT, and knows /echo and /img.
const { Context, h } = require('koishi')
const Http = require('@koishijs/plugin-http')
const Satori = require('@satorijs/adapter-satori')

const plugin = (loaded) => loaded.default ?? loaded
const app = new Context({ prefix: ['/'] })
if (!app.http) app.plugin(plugin(Http))
app.plugin(plugin(Satori), { endpoint: process.env.ENDPOINT, token: process.env.TOKEN, retryInterval: 1000 })
app.middleware((session, next) => {
  if (session.content.startsWith('/echo ')) return session.content.slice('/echo '.length)
  if (session.content.startsWith('/img')) {
    const bytes = Buffer.from('89504e470d0a1a0a', 'hex')
    return h('message', h.image(bytes, 'image/png'), 'pic')
  }
  return next()
})
app.start()
