const PROTOCOLS = ['postgres:', 'postgresql:'];

/** Whether this names a database of a PostgreSQL server: `postgres://user@host:5432/database`. */
export function isPostgresUrl(location: string): boolean {
  if (!URL.canParse(location)) return false;
  const { protocol, pathname } = new URL(location);
  return PROTOCOLS.includes(protocol) && pathname.length > 1;
}

/** A store's URL as it may be printed: without its password, and without parameters, among which there may be one. */
export function printableUrl(location: string): string {
  const url = new URL(location);
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href;
}
