import { LinkButton } from '../parts/button.js';
import { Page } from '../parts/page.js';
import { hrefOf } from '../routes.js';

export function NowhereScreen() {
  return (
    <Page title="There is nothing here" lead="The address is not one of the console's.">
      <LinkButton to={hrefOf({ screen: 'bots' })} look="primary">
        Go to the bots
      </LinkButton>
    </Page>
  );
}
