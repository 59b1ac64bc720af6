/** The API's description, made from the schemas that its requests are checked with, and a page that shows it. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** Before any route that is to be described. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Hairpin',
        version: '1',
        description:
          'TURN credentials, their revocation and the usage of the relay. The credentials call also comes in the shapes of other services.',
      },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: "An app's API key." },
          signalingToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: "A user's token." },
          basic: { type: 'http', scheme: 'basic', description: 'The app and, as the password, its API key.' },
        },
      },
    },
  })
}

/** `/docs`, with all its files, and `/docs/json`. Asks no other server for anything. */
export async function documentation(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { validatorUrl: null },
  })
}
