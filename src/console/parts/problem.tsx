import { fieldsOf, messageOf } from '../api/errors.js';
import { Button } from './button.js';
import { Icon } from './icons.js';

/** What went wrong, in the server's words; nothing where nothing did. */
export function ProblemNote({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  if (error === null || error === undefined) return null;
  const fields = fieldsOf(error);
  return (
    <div className="note error" role="alert">
      <Icon name="error" />
      <div>
        <p className="wrap">{messageOf(error)}</p>
        {fields.length > 1 && (
          <ul className="bullets">
            {fields.map(({ field, message }) => (
              <li key={field}>
                <code>{field}</code> {message}
              </li>
            ))}
          </ul>
        )}
        {onRetry && (
          <Button small onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
