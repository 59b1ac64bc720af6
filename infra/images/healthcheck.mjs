// Container health check: GET a path over a Unix socket or a local port; exit 0 on a 2xx answer.
//   node healthcheck.mjs /run/hairpin/turn-admin.sock /readyz
//   node healthcheck.mjs 9464 /readyz
import { get } from 'node:http'

const [where = '', path = '/readyz'] = process.argv.slice(2)
const target = where.startsWith('/') ? { socketPath: where } : { host: '127.0.0.1', port: Number(where) }

const request = get({ ...target, path, timeout: 3000 }, (response) => {
  response.resume()
  const { statusCode = 0 } = response
  if (statusCode >= 200 && statusCode < 300) process.exit(0)
  console.error(`${where} ${path}: ${statusCode}`)
  process.exit(1)
})
request.on('timeout', () => request.destroy(new Error('no answer within 3 s')))
request.on('error', (error) => {
  console.error(`${where} ${path}: ${error.message}`)
  process.exit(1)
})
