import { type ReactNode, useEffect, useRef } from 'react';

/** The first page is where the browser put the focus; every later one takes it, so that it is read out. */
let isFirst = true;

/** A screen: its heading, which gets the focus when one comes to it, what can be done, and what there is. */
export function Page({
  title,
  lead,
  actions,
  back,
  children,
}: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  /** A link to where it belongs. */
  readonly back?: ReactNode;
  readonly children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · kshot`;
    if (!isFirst) heading.current?.focus();
    isFirst = false;
  }, [title]);
  return (
    <div className="page">
      <header className="page-header">
        <div className="page-title">
          {back !== undefined && <div className="page-back small">{back}</div>}
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead !== undefined && <div className="page-lead muted">{lead}</div>}
        </div>
        {actions !== undefined && <div className="page-actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a screen. */
export function Section({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="section">
      <header className="section-header">
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
