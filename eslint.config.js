import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

// Folders import one way (CONTRIBUTING.md). A folder of src/ may import only what is named here, besides
// itself, src/errors.ts and packages.
const mayImport = {
  statistics: [],
  encoder: [],
  heads: [],
  index: [],
  store: [],
  formats: [],
  keys: ['store'],
  classify: ['encoder', 'heads', 'index', 'store', 'statistics'],
  learn: ['heads', 'encoder', 'statistics'],
  jobs: ['classify', 'learn', 'heads', 'encoder', 'store', 'statistics'],
  http: ['classify', 'store', 'formats', 'keys', 'jobs'],
  client: ['classify', 'formats', 'keys', 'jobs'],
  telemetry: ['classify', 'encoder', 'store', 'http'],
  cli: [
    'encoder',
    'heads',
    'index',
    'store',
    'formats',
    'classify',
    'learn',
    'jobs',
    'http',
    'client',
    'keys',
    'statistics',
    'telemetry',
  ],
};
const folders = Object.keys(mayImport);
const zones = folders.map((folder) => ({
  target: `./src/${folder}`,
  from: './src',
  except: [`./${folder}`, './errors.ts', ...mayImport[folder].map((other) => `./${other}`)],
  message: `src/${folder} may import only ${['itself', 'errors.ts', ...mayImport[folder]].join(', ')}`,
}));
// The console is a page: it speaks to the server through the client, and knows nothing else of it.
zones.push({
  target: './src/console',
  from: './src',
  except: ['./console', './client'],
  message: 'src/console may import only itself and src/client',
});
// Nothing but the wiring reads the configuration or the command line.
zones.find((zone) => zone.target === './src/cli').except.push('./config.ts', './main.ts', './serve.ts');

export default tseslint.config(
  { ignores: ['dist*/**', 'node_modules/**', 'coverage/**', 'reports/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        importX.createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones, basePath: import.meta.dirname }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/telemetry/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['@opentelemetry/*'], message: 'src/telemetry alone loads it, where it is wanted' },
          ],
        },
      ],
    },
  },
  {
    files: ['scripts/**', 'src/cli/**', 'src/main.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // The client runs wherever there is a fetch: of ours it takes types only, of others nothing.
    files: ['src/client/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^\\.\\./',
              allowTypeImports: true,
              message: 'src/client imports only types from other folders',
            },
            { regex: '^[^.]', message: 'src/client depends on no package, and on nothing of Node.js' },
          ],
        },
      ],
    },
  },
  {
    files: ['*.js', 'scripts/*.js', 'test/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['src/console/**'],
    extends: [reactHooks.configs.flat['recommended-latest'] ?? reactHooks.configs.flat.recommended],
    languageOptions: {
      parserOptions: { project: './src/console/tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
  },
  {
    files: ['src/console/public/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { document: 'readonly', localStorage: 'readonly' } },
  },
);
