import { type DragEvent, useId, useState } from 'react';
import { Icon } from '../parts/icons.js';

/** Takes a file that is dropped or chosen. */
export function DropZone({
  label,
  hint,
  disabled = false,
  onFile,
}: {
  readonly label: string;
  readonly hint: string;
  readonly disabled?: boolean;
  readonly onFile: (file: File) => void;
}) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file !== undefined && !disabled) onFile(file);
  }
  return (
    <div
      className={`drop-zone${isOver ? ' over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => {
        setOver(false);
      }}
      onDrop={drop}
    >
      <Icon name="files" />
      <label htmlFor={id}>
        <span className="drop-label">{label}</span>
        <span className="muted small" id={`${id}-hint`}>
          {hint}
        </span>
      </label>
      <input
        id={id}
        type="file"
        disabled={disabled}
        aria-describedby={`${id}-hint`}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          // The same file may be chosen again, changed.
          event.target.value = '';
          if (file !== undefined) onFile(file);
        }}
      />
    </div>
  );
}
