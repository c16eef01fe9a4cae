import { createHash } from 'node:crypto';
import type { Answer } from './exchange.js';
import { Html, html } from './html.js';
import type { Content, JsonSchema, OpenApiDocument, OpenApiOperation } from './openapi.js';
import { PROBLEMS } from './problem.js';
import { securityHeaders } from './securityHeaders.js';

/**
 * The OpenAPI document as a page, rendered here once: no script, nothing loaded from elsewhere, so that it works on a
 * machine without a network and under a policy that allows one style sheet and nothing more.
 */
export function docsPage(document: OpenApiDocument): Answer {
  const sections = document.tags.map(({ name, description }) => {
    const operations = operationsOf(document).filter(({ operation }) => operation.tags.includes(name));
    return html`<section id="${name}">
      <h2>${capitalised(name)}</h2>
      <p>${description}.</p>
      ${operations.map((found) => operationHtml(document, found))}
    </section>`;
  });
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      html`<details id="schema-${name}">
        <summary><b>${name}</b></summary>
        <pre>${JSON.stringify(schema, null, 2)}</pre>
      </details>`,
  );
  const problems = Object.entries(PROBLEMS).map(
    ([code, { status, title }]) =>
      html`<tr id="${code}">
        <td>${String(status)}</td>
        <td><code>${code}</code></td>
        <td>${title}</td>
      </tr>`,
  );
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>kshot API</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>
          <h1>kshot API <small>${document.info.version}</small></h1>
          ${document.info.description.split('\n\n').map((paragraph) => html`<p>${marked(paragraph)}</p>`)}
          <nav>
            ${document.tags.map(({ name }) => html`<a href="#${name}">${capitalised(name)}</a> `)}
            <a href="#schemas">Schemas</a> <a href="#problems">Problems</a>
            <a href="/openapi.json">openapi.json</a>
          </nav>
        </header>
        <main>
          ${sections}
          <section id="schemas">
            <h2>Schemas</h2>
            ${schemas}
          </section>
          <section id="problems">
            <h2>Problems</h2>
            <table>
              <tr>
                <th>Status</th>
                <th>Code</th>
                <th>Meaning</th>
              </tr>
              ${problems}
            </table>
          </section>
        </main>
      </body>
    </html>`;
  return {
    status: 200,
    text: { type: 'text/html; charset=utf-8', content: page.source },
    headers: HEADERS,
  };
}

interface Found {
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

function operationsOf(document: OpenApiDocument): Found[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}

/** The schemas of a body, or what its content type may be where it is a file. */
function contentHtml(content: Content): Html {
  const types = Object.keys(content);
  if (types.length > 1) return html`a file: ${types.join(', ')}`;
  return html`${Object.values(content).map(({ schema }) => typeOf(schema))}`;
}

function operationHtml(document: OpenApiDocument, { method, path, operation }: Found): Html {
  const body = operation.requestBody?.content;
  const parameters = (operation.parameters ?? []).map(
    (parameter) =>
      html`<tr>
        <td><code>${parameter.name}</code></td>
        <td>${parameter.in}${parameter.required ? '' : ', optional'}</td>
        <td>${typeOf(parameter.schema)}</td>
        <td>${parameter.description ?? ''}</td>
      </tr>`,
  );
  const responses = Object.entries(operation.responses).map(([status, { description, content = {} }]) => {
    return html`<tr>
      <td>${status}</td>
      <td>${marked(description)}</td>
      <td>${contentHtml(content)}</td>
    </tr>`;
  });
  return html`<details id="${operation.operationId}">
    <summary>
      <code class="${method}">${method.toUpperCase()}</code> <code>${path}</code> ${operation.summary}
    </summary>
    ${operation.description === undefined ? '' : html`<p>${marked(operation.description)}</p>`}
    ${operation.security === undefined ? '' : html`<p>Needs an API key where the server has any.</p>`}
    ${
      parameters.length === 0
        ? ''
        : html`<h3>Parameters</h3>
            <table>
              ${parameters}
            </table>`
    }
    ${
      body === undefined
        ? ''
        : html`<h3>Body</h3>
            <p>${contentHtml(body)}</p>`
    }
    <h3>Example</h3>
    <pre>${curl(document, { method, path, operation })}</pre>
    <h3>Answers</h3>
    <table>
      ${responses}
    </table>
  </details>`;
}

/** The content type of operations that take a file, whatever it is. */
const ANY_FILE = 'application/octet-stream';

/** A command that can be pasted into a shell where kshot listens on its default port. */
function curl(document: OpenApiDocument, { method, path, operation }: Found): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const schema = operation.parameters?.find((parameter) => parameter.name === name)?.schema;
    return encodeURIComponent(exampleText(schema));
  });
  const query = (operation.parameters ?? []).flatMap((parameter) =>
    parameter.in === 'query' && parameter.required
      ? `${parameter.name}=${encodeURIComponent(exampleText(parameter.schema))}`
      : [],
  );
  const address = `http://127.0.0.1:8080${filled}`;
  const quoted = query.length === 0 ? address : `'${address}?${query.join('&')}'`;
  const lines = [`curl -s${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} ${quoted}`];
  if (operation.security !== undefined) lines.push(`-H "authorization: Bearer $KSHOT_KEY"`);
  const content = operation.requestBody?.content ?? {};
  const body = content['application/json']?.schema;
  if (content[ANY_FILE] !== undefined)
    lines.push(`-H 'content-type: ${ANY_FILE}'`, '--data-binary @data/demo.yml');
  else if (body !== undefined) {
    const schema = document.components.schemas[nameOf(body) ?? ''];
    const example = JSON.stringify(exampleOf(schema) ?? {}).replaceAll("'", "'\\''");
    lines.push(`-H 'content-type: application/json'`, `-d '${example}'`);
  }
  return lines.join(' \\\n  ');
}

function exampleText(schema: JsonSchema | undefined): string {
  const example = exampleOf(schema);
  return typeof example === 'string' ? example : '1';
}

function exampleOf(schema: JsonSchema | undefined): unknown {
  const examples = schema?.['examples'];
  return Array.isArray(examples) ? examples[0] : undefined;
}

function nameOf(schema: JsonSchema): string | undefined {
  const reference = schema['$ref'];
  return typeof reference === 'string' ? reference.split('/').at(-1) : undefined;
}

function typeOf(schema: JsonSchema): Html {
  const name = nameOf(schema);
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  const alternatives = schema['anyOf'];
  if (Array.isArray(alternatives)) {
    return html`${alternatives.map((one: JsonSchema, i) => html`${i === 0 ? '' : ' or '}${typeOf(one)}`)}`;
  }
  const type = schema['type'];
  return html`${typeof type === 'string' ? type : 'any'}`;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Back-quoted words of a description as code. */
function marked(text: string): Html[] {
  return text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
nav a { margin-right: 1rem; }
h3 { font-size: 1rem; margin: 1rem 0 0.25rem; }
code, pre { font: 0.875rem/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 0.75rem; background: rgb(128 128 128 / 12%); border-radius: 0.375rem; }
details { border: 1px solid rgb(128 128 128 / 35%); border-radius: 0.375rem; margin: 0.5rem 0; padding: 0.5rem 0.75rem; }
summary { cursor: pointer; }
summary code:first-child { display: inline-block; min-width: 4.5rem; font-weight: bold; }
.get { color: #2d7dd2; } .post { color: #2a9d5c; } .put { color: #c27c0e; } .delete { color: #d1495b; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid rgb(128 128 128 / 25%); padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
tr:target, details:target { outline: 2px solid #2d7dd2; }
`;

// In one piece: the policy allows this style sheet by the hash of all that stands between the tags.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const HEADERS = securityHeaders({
  'default-src': ["'none'"],
  'style-src': [`'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
});
