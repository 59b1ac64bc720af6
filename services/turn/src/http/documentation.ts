/** The API's description, made from the schemas that its requests are checked with, and a page that shows it. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { type TObject, type TSchema, Type } from 'typebox'

const Failure = Type.Object(
  { error: Type.Object({ code: Type.String(), message: Type.String() }) },
  {
    description: 'A stable code (docs/ERRORS.md) and what to do; other services than Hairpin have forms of their own.',
  },
)

/** Before any route that is to be described. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    transform: ({ schema, url }) => {
      const { response = {}, params, ...rest } = schema as { response?: object; params?: TSchema }
      return {
        schema: { ...rest, params: params && namedUsername(params), response: { ...response, '4xx': Failure } },
        url: url.replace(/\*$/, ':username/revoke'),
      }
    },
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

/** A username is longer than a path parameter may be; a wildcard, which has no place in a description, takes it. */
function namedUsername(params: TSchema): TSchema {
  const { '*': username, ...others } = (params as TObject).properties
  return username ? Type.Object({ ...others, username }) : params
}

/** `/docs`, with all its files, and `/docs/json`. Asks no other server for anything. */
export async function documentation(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // The page sets styles on its elements.
    transformStaticCSP: (policy) => policy.replace("style-src 'self' https:", "style-src 'self' 'unsafe-inline'"),
    uiConfig: { layout: 'BaseLayout', validatorUrl: null },
  })
}
