import { Button } from '../parts/button.js';
import { type Mark, shapePath } from './palette.js';

/** Which mark is which intent; choosing some leaves the others faint. */
export function Legend({
  intents,
  marks,
  selected,
  onToggle,
  onClear,
}: {
  readonly intents: readonly string[];
  readonly marks: ReadonlyMap<string, Mark>;
  readonly selected: ReadonlySet<string>;
  readonly onToggle: (intent: string) => void;
  readonly onClear: () => void;
}) {
  return (
    <div className="legend" role="group" aria-label="Intents to show">
      <div className="legend-head small">
        <span className="muted">{selected.size === 0 ? 'All intents' : `${selected.size} chosen`}</span>
        {selected.size > 0 && (
          <Button small look="quiet" onClick={onClear}>
            Show all
          </Button>
        )}
      </div>
      <ul>
        {intents.map((intent) => {
          const mark = marks.get(intent);
          return (
            <li key={intent}>
              <button
                type="button"
                className="legend-item"
                aria-pressed={selected.has(intent)}
                onClick={() => {
                  onToggle(intent);
                }}
              >
                {mark && (
                  <svg viewBox="0 0 16 16" aria-hidden="true" className="legend-mark">
                    <path d={shapePath(mark.shape, 8, 8, 4.5)} fill={mark.colour} fillRule="evenodd" />
                  </svg>
                )}
                <span className="wrap">{intent}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
