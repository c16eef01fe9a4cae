import { Button } from '../parts/button.js';
import { Icon } from '../parts/icons.js';
import { keyWanted, readOnly } from '../state/session.js';
import { useStore } from '../state/store.js';

/** Says once why nothing can be changed. */
export function ReadOnlyNote() {
  if (!useStore(readOnly)) return null;
  return (
    <div className="banner info" role="status">
      <Icon name="key" />
      <p>This API key may read and classify, not write: what changes a bot is switched off.</p>
      <Button
        small
        onClick={() => {
          keyWanted.set('Give a key that may write.');
        }}
      >
        Use another key
      </Button>
    </div>
  );
}
