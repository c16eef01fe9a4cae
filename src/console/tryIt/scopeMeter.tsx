import { percent } from '../format.js';

/** How surely a text is in scope, with the threshold drawn across. */
export function ScopeMeter({
  inScope,
  threshold,
}: {
  readonly inScope: number;
  readonly threshold: number | undefined;
}) {
  const isIn = threshold === undefined || inScope >= threshold;
  return (
    <div className="scope">
      <div className="scope-words small">
        <span>
          In scope <strong className="number">{percent(inScope)}</strong>
        </span>
        {threshold !== undefined && <span className="muted number">threshold {percent(threshold)}</span>}
      </div>
      <div className="scope-track" aria-hidden="true">
        <div className={`scope-fill${isIn ? '' : ' out'}`} style={{ width: `${inScope * 100}%` }} />
        {threshold !== undefined && (
          <div className="scope-threshold" style={{ left: `${threshold * 100}%` }} />
        )}
      </div>
    </div>
  );
}
