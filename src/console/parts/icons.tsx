import type { ReactNode } from 'react';

const PATHS = {
  intents: <path d="M2.5 4h11M2.5 8h11M2.5 12h7" />,
  try: <path d="M3 3.5h10v7H7.5L4.5 13v-2.5H3z" />,
  map: (
    <>
      <circle cx="4.5" cy="5" r="1.6" />
      <circle cx="11" cy="4" r="1.6" />
      <circle cx="5" cy="11.5" r="1.6" />
      <circle cx="11.5" cy="10.5" r="1.6" />
    </>
  ),
  review: <path d="M2.5 3.5h8M2.5 7h5M2.5 10.5h3.5M8 11l2 2 4-4.5" />,
  files: <path d="M5.5 2.5v8M3 8l2.5 2.5L8 8M10.5 13.5v-8M8 8l2.5-2.5L13 8" />,
  checks: (
    <>
      <path d="M8 1.8l5 1.9v3.8c0 3.2-2.1 5.5-5 6.7-2.9-1.2-5-3.5-5-6.7V3.7z" />
      <path d="M5.8 7.9l1.6 1.6 2.9-3.1" />
    </>
  ),
  evaluations: <path d="M2.5 13.5h11M4.5 13V9M8 13V3.5M11.5 13V6.5" />,
  versions: (
    <>
      <circle cx="4.5" cy="4" r="1.7" />
      <circle cx="4.5" cy="12" r="1.7" />
      <circle cx="11.5" cy="6" r="1.7" />
      <path d="M4.5 5.7v4.6M11.5 7.7c0 2.3-3 2.3-5.4 3.4" />
    </>
  ),
  settings: (
    <>
      <path d="M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6" />
      <circle cx="10.2" cy="4.5" r="1.7" />
      <circle cx="5.8" cy="11.5" r="1.7" />
    </>
  ),
  plus: <path d="M8 3v10M3 8h10" />,
  trash: <path d="M2.5 4.5h11M6 4.5V3h4v1.5M4 4.5l.6 8.5h6.8l.6-8.5M6.7 7v3.7M9.3 7v3.7" />,
  pencil: <path d="M3 13l.6-2.8 7-7 2.2 2.2-7 7z" />,
  move: <path d="M2.5 8h10M9 4.5L12.5 8 9 11.5" />,
  search: (
    <>
      <circle cx="7" cy="7" r="4.2" />
      <path d="M10.2 10.2l3.3 3.3" />
    </>
  ),
  close: <path d="M4 4l8 8M12 4l-8 8" />,
  menu: <path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />,
  error: (
    <>
      <path d="M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5z" />
      <path d="M8 5v3.6M8 10.7v.4" />
    </>
  ),
  warning: <path d="M8 2.3l6 11H2zM8 6.3v3.4M8 11.3v.4" />,
  info: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.3v3.6M8 4.9v.4" />
    </>
  ),
  good: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M5.4 8.2l1.8 1.8 3.5-3.8" />
    </>
  ),
  sun: (
    <>
      <circle cx="8" cy="8" r="3" />
      <path d="M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9" />
    </>
  ),
  moon: <path d="M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z" />,
  system: <path d="M2.5 3h11v7.5h-11zM6 13.5h4" />,
  key: (
    <>
      <circle cx="5.3" cy="10.7" r="2.8" />
      <path d="M7.3 8.7l5.7-5.7M10.7 5.3l1.8 1.8" />
    </>
  ),
  back: <path d="M9.5 3.5L5 8l4.5 4.5" />,
  up: <path d="M8 12.5v-9M4.5 7L8 3.5 11.5 7" />,
  down: <path d="M8 3.5v9M4.5 9L8 12.5 11.5 9" />,
  undo: <path d="M5.5 3.5L2.5 6.5l3 3M2.5 6.5h6.7a3.6 3.6 0 0 1 0 7.2H6.5" />,
  outside: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M3.8 3.8l8.4 8.4" />
    </>
  ),
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

/** Decoration: what it says, a word beside it says too, or the label of its button. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {PATHS[name]}
    </svg>
  );
}
