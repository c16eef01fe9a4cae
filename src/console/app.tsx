import { QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { createQueryClient } from './api/queries.js';
import { KeyDialog } from './layout/keyDialog.js';
import { OutageBanner } from './layout/outageBanner.js';
import { Shell } from './layout/shell.js';
import { Toaster } from './parts/toaster.js';
import { usePlace } from './routes.js';
import { Screen } from './screen.js';

export function App() {
  const [client] = useState(createQueryClient);
  const place = usePlace();
  return (
    <QueryClientProvider client={client}>
      <OutageBanner />
      <Shell place={place}>
        <Screen place={place} />
      </Shell>
      <Toaster />
      <KeyDialog />
    </QueryClientProvider>
  );
}
