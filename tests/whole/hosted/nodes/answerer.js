// Answers requests in all the ways that Express has: which one, the path says.
const path = require('node:path');
const { Readable } = require('node:stream');

module.exports = function (RED) {
  const seen = [];
  const file = path.join(__dirname, 'letters.txt');
  const ways = {
    text: (res) => res.send('täxt'),
    object: (res) => res.status(201).send({ ä: [1, null] }),
    buffer: (res) => res.send(Buffer.from([0, 255, 10])),
    nothing: (res) => res.status(204).send('left out'),
    none: (res) => res.send(),
    truth: (res) => res.send(true),
    json: (res) => res.json('a "text"'),
    jsonp: (res) => res.jsonp({ line: '\u2028' }),
    'send-status': (res) => res.sendStatus(418),
    message: (res) => { res.statusMessage = 'As it likes'; res.status(299).end(); },
    cookie: (res) => res.cookie('a', 'b c', { expires: new Date(0), httpOnly: true, path: '/x' }).cookie('j', { k: 1 }).cookie('s', 'v', { sameSite: 'strict', secure: true }).end(),
    'clear-cookie': (res) => res.clearCookie('a').clearCookie('b', { path: '/b', domain: 'example.org' }).send('cleared'),
    append: (res) => res.append('X-One', '1').append('x-one', ['2', '3']).append('Set-Cookie', 'a=1').append('Set-Cookie', 'b=2').send('x'),
    set: (res) => res.set({ 'X-A': 1, 'X-B': ['c', 'd'] }).set('content-type', 'text/plain').send('x'),
    vary: (res) => res.vary('Accept').vary(['Accept-Language', 'accept']).end('x'),
    type: (res) => res.type('png').send(Buffer.from('x')),
    'type-text': (res) => res.type('md').send('# x'),
    attachment: (res) => res.attachment('a/nä me.json').send('{}'),
    links: (res) => res.links({ next: '/2', last: '/9' }).end(),
    location: (res) => res.location('/ä b').status(201).end(),
    redirect: (res) => res.redirect('/there?a=<b>'),
    'redirect-301': (res) => res.redirect(301, '/there'),
    back: (res) => res.redirect('back'),
    format: (res) => res.format({ 'text/html': () => res.send('<p>'), 'application/json': () => res.send({ p: 1 }) }),
    'send-file': (res) => res.sendFile(file, { headers: { 'x-file': 'yes' } }),
    'no-file': (res) => res.sendFile(path.join(__dirname, 'nowhere')),
    'no-file-said': (res) => res.sendFile('/nowhere/x', (error) => res.status(error.status).send(error.code)),
    'relative-file': (res) => res.sendFile('x'),
    folder: (res) => res.sendFile(__dirname),
    download: (res) => res.download(file, 'l.txt'),
    pieces(res) {
      res.status(206);
      res.write('one,');
      setTimeout(() => { res.write(Buffer.from('two,')); res.end('three'); }, 30);
    },
    'write-head': (res) => { res.writeHead(202, { 'X-H': 'h', 'Content-Length': 3 }); res.write('abc'); res.end(); },
    pipe: (res) => Readable.from((function* () { for (let n = 0; n < 64; n++) yield Buffer.alloc(1 << 16, n); })()).pipe(res),
    flush: (res) => { res.flushHeaders(); setTimeout(() => res.end('later'), 30); },
    finish: (res) => res.on('finish', () => seen.push(`finish ${res.writableFinished}`)).end('f'),
    get(res) {
      res.set('X-Y', 'z').type('json');
      const before = [res.get('x-y'), res.get('Content-Type'), res.getHeader('none'), res.headersSent, res.hasHeader('x-y'), res.getHeaderNames()];
      res.removeHeader('x-y');
      res.send(JSON.stringify([before, res.statusCode, res.req.originalUrl, res.req.method, typeof res.app, res.locals, res.req.res === res]));
      seen.push(`sent ${res.headersSent} ${res.writableEnded}`);
    },
    twice: (res) => { res.send('first'); res.send('second'); },
    'bad-header': (res) => { try { res.set('a b', 'x'); } catch (error) { seen.push(`${error.code}`); } res.set('x', 'a\nb'); },
    'bad-status': (res) => res.status(99).end(),
    gone: (res) => { res.write('begun'); res.on('close', () => seen.push(`closed ${res.writableFinished}`)); },
    seen: (res) => res.json(seen.splice(0)),
    // what others answer
    'sent-on': (_res, msg, node) => node.send({ ...msg, payload: 'sent on' }),
    wrapped: (res, msg, node) => node.send({ ...msg, payload: { wrapped: true }, res: { _res: res } }),
    'set-and-wrapped': (res, msg, node) => node.send({ res: { _res: res.set('x-before', '1').vary('X') }, payload: '', statusCode: 404 }),
    // what Node-RED offers in msg.res itself
    offered: (_res, msg) => msg.res.status(210).set('x-o', 'o').append('x-o', 'p').cookie('c', 'd').type('text').send('offered'),
    'offered-json': (_res, msg) => msg.res.json([msg.res.get('x'), Object.keys(msg.res).filter((name) => name === '_res' || name === 'write')]),
    request: (res, { req }) => res.json([req.method, req.get('X-Q'), req.header('x-q'), req.is('json'), req.accepts(['json', 'html']), req.acceptsLanguages('de', 'en'),
      req.query, req.params, req.method === 'POST' && req.body, req.path, req.protocol, req.secure, req.xhr, req.hostname, req.httpVersion, req.range(10) ?? null, req.fresh, req.stale, req.headers['x-q'], req.complete]),
  };
  RED.nodes.registerType('answerer', function (config) {
    RED.nodes.createNode(this, config);
    this.on('input', (msg, _send, done) => {
      try {
        ways[msg.req.params.way](msg.res._res, msg, this);
      } catch (error) {
        seen.push(`${error.name} ${error.code} ${error.message}`);
        if (!msg.res._res.headersSent) msg.res._res.status(500).end('thrown');
      }
      done();
    });
  });
};
