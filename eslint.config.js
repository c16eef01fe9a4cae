import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

// Folders import one way (CONTRIBUTING.md). A folder of src/ may import only what is named here, besides
// itself, src/errors.ts and packages.
const mayImport = {
  encoder: [],
  heads: [],
  index: [],
  store: [],
  formats: [],
  classify: ['encoder', 'heads', 'index', 'store'],
  learn: ['heads', 'encoder'],
  http: ['classify', 'store', 'formats'],
  telemetry: ['classify', 'encoder', 'store', 'http'],
  cli: ['encoder', 'heads', 'index', 'store', 'formats', 'classify', 'learn', 'http', 'telemetry'],
};
const folders = Object.keys(mayImport);
const zones = folders.map((folder) => ({
  target: `./src/${folder}`,
  from: './src',
  except: [`./${folder}`, './errors.ts', ...mayImport[folder].map((other) => `./${other}`)],
  message: `src/${folder} may import only ${['itself', 'errors.ts', ...mayImport[folder]].join(', ')}`,
}));
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
    files: ['*.js', 'scripts/*.js', 'test/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', URL: 'readonly' } },
  },
);
