/** The arrows of the architecture: service -> lib -> turn, pure packages stay pure, nothing imports the tests. */
const nodeBuiltins = { dependencyTypes: ['core'] };
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'turn-imports-nothing',
      severity: 'error',
      from: { path: '^libs/turn/src/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^libs/turn/src/' },
    },
    {
      name: 'dialects-import-turn-only',
      severity: 'error',
      from: { path: '^libs/dialects/src/', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot: [
          '^libs/(dialects|turn)/src/',
          'node_modules/(eventsource-parser|eventsource-encoder|jsonrepair|zod)/',
        ],
      },
    },
    {
      name: 'pure-packages-have-no-node-builtins',
      severity: 'error',
      from: { path: '^libs/(turn|dialects)/src/', pathNot: '\\.test\\.ts$' },
      to: nodeBuiltins,
    },
    {
      name: 'client-dialects-do-not-know-upstreams',
      severity: 'error',
      from: { path: '^libs/dialects/src/client/' },
      to: { path: '^libs/dialects/src/upstream/' },
    },
    {
      name: 'upstream-dialects-do-not-know-clients',
      severity: 'error',
      from: { path: '^libs/dialects/src/upstream/' },
      to: { path: '^libs/dialects/src/client/' },
    },
    {
      name: 'upstream-dialects-do-not-know-each-other',
      severity: 'error',
      from: { path: '^libs/dialects/src/upstream/([^/]+)/' },
      to: { path: '^libs/dialects/src/upstream/[^/]+/', pathNot: '^libs/dialects/src/upstream/$1/' },
    },
    {
      name: 'client-dialects-do-not-know-each-other',
      severity: 'error',
      from: { path: '^libs/dialects/src/client/([^/]+)/' },
      // `request` is what all of them need to read a request.
      to: { path: '^libs/dialects/src/client/[^/]+/', pathNot: '^libs/dialects/src/client/($1|request)/' },
    },
    {
      name: 'credentials-and-runtime-import-turn-only',
      severity: 'error',
      from: { path: '^libs/(credentials|runtime)/src/' },
      to: { path: '^libs/(?!turn/)', pathNot: '^libs/$1/' },
    },
    { name: 'libs-do-not-import-services', severity: 'error', from: { path: '^libs/' }, to: { path: '^services/' } },
    {
      name: 'services-do-not-import-each-other',
      severity: 'error',
      from: { path: '^services/(?!standalone/)([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    { name: 'nothing-imports-tests', severity: 'error', from: { path: '^(libs|services)/' }, to: { path: '^test/' } },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@zai2api/source', 'import', 'node', 'default', 'types'],
    },
  },
};
