/** Markup that is safe to put on a page. */
export class Html {
  constructor(readonly source: string) {}
}

export type Insertable = string | Html | readonly Insertable[];

/** Builds markup: whatever is put in is escaped unless it is markup itself. */
export function html(parts: TemplateStringsArray, ...values: readonly Insertable[]): Html {
  return new Html(String.raw({ raw: parts }, ...values.map(inserted)));
}

function inserted(value: Insertable): string {
  if (value instanceof Html) return value.source;
  if (typeof value !== 'string') return value.map(inserted).join('');
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
