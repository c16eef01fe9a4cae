import { useId } from 'react';
import { percent } from '../format.js';
import { Button } from '../parts/button.js';
import { DEFAULT_THRESHOLD } from './defaults.js';

/** A threshold, from 0 to 1; undefined is the default. */
export function ThresholdField({
  value,
  onChange,
}: {
  readonly value: number | undefined;
  readonly onChange: (threshold: number | undefined) => void;
}) {
  const id = useId();
  const shown = value ?? DEFAULT_THRESHOLD;
  return (
    <div className="threshold">
      <label htmlFor={id} className="visually-hidden">
        Threshold
      </label>
      <input
        id={id}
        type="range"
        min={0}
        max={1}
        step={0.01}
        value={shown}
        aria-valuetext={percent(shown)}
        onChange={(event) => {
          onChange(Number(event.target.value));
        }}
      />
      <output htmlFor={id} className="number strong">
        {percent(shown)}
      </output>
      <Button
        small
        disabled={value === undefined}
        onClick={() => {
          onChange(undefined);
        }}
      >
        Default
      </Button>
    </div>
  );
}
