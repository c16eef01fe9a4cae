import { lazy, Suspense } from 'react';
import { BotsScreen } from './bots/botsScreen.js';
import { ChecksScreen } from './checks/checksScreen.js';
import { FilesScreen } from './files/filesScreen.js';
import { CounterexamplesScreen } from './intents/counterexamplesScreen.js';
import { IntentScreen } from './intents/intentScreen.js';
import { IntentsScreen } from './intents/intentsScreen.js';
import { JobsScreen } from './jobs/jobsScreen.js';
import { KeysScreen } from './keys/keysScreen.js';
import { NowhereScreen } from './layout/nowhereScreen.js';
import { Loading } from './parts/loaded.js';
import { ReviewScreen } from './review/reviewScreen.js';
import type { Place } from './routes.js';
import { SettingsScreen } from './settings/settingsScreen.js';
import { TryScreen } from './tryIt/tryScreen.js';
import { VersionScreen } from './versions/versionScreen.js';
import { VersionsScreen } from './versions/versionsScreen.js';

// What draws is loaded when it is drawn.
const MapScreen = lazy(() => import('./map/mapScreen.js'));
const EvaluationsScreen = lazy(() => import('./evaluations/evaluationsScreen.js'));
const EvaluationScreen = lazy(() => import('./evaluations/evaluationScreen.js'));

/** What is at an address. */
export function Screen({ place }: { readonly place: Place }) {
  return <Suspense fallback={<Loading />}>{screenOf(place)}</Suspense>;
}

function screenOf(place: Place) {
  switch (place.screen) {
    case 'bots':
      return <BotsScreen />;
    case 'jobs':
      return <JobsScreen />;
    case 'keys':
      return <KeysScreen />;
    case 'intents':
      return place.item === undefined ? (
        <IntentsScreen key={place.bot} bot={place.bot} />
      ) : (
        <IntentScreen key={`${place.bot}/${place.item}`} bot={place.bot} intent={place.item} />
      );
    case 'counterexamples':
      return <CounterexamplesScreen key={place.bot} bot={place.bot} />;
    case 'try':
      return <TryScreen key={place.bot} bot={place.bot} />;
    case 'map':
      return <MapScreen key={place.bot} bot={place.bot} />;
    case 'review':
      return <ReviewScreen key={place.bot} bot={place.bot} />;
    case 'files':
      return <FilesScreen key={place.bot} bot={place.bot} />;
    case 'checks':
      return <ChecksScreen key={place.bot} bot={place.bot} />;
    case 'evaluations':
      return place.item === undefined ? (
        <EvaluationsScreen key={place.bot} bot={place.bot} />
      ) : (
        <EvaluationScreen key={`${place.bot}/${place.item}`} bot={place.bot} id={place.item} />
      );
    case 'versions':
      return place.item === undefined ? (
        <VersionsScreen key={place.bot} bot={place.bot} />
      ) : (
        <VersionScreen key={`${place.bot}/${place.item}`} bot={place.bot} version={place.item} />
      );
    case 'settings':
      return <SettingsScreen key={place.bot} bot={place.bot} />;
    case 'nowhere':
      return <NowhereScreen />;
  }
}
