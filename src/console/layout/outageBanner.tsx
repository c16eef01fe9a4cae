import { useQueryClient } from '@tanstack/react-query';
import { Button } from '../parts/button.js';
import { Icon } from '../parts/icons.js';
import { outage } from '../state/connection.js';
import { useStore } from '../state/store.js';

/** Says that the server does not answer, for as long as it does not. */
export function OutageBanner() {
  const reason = useStore(outage);
  const client = useQueryClient();
  if (reason === undefined) return null;
  return (
    <div className="banner warning" role="alert">
      <Icon name="warning" />
      <p>{reason} What is on this page may be out of date.</p>
      <Button small onClick={() => void client.refetchQueries({ type: 'active' })}>
        Try again
      </Button>
    </div>
  );
}
