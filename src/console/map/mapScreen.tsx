import { useCallback, useMemo, useState } from 'react';
import type { BotMap, MapPoint } from '../../client/index.js';
import { useMap } from '../api/queries.js';
import { count, counted } from '../format.js';
import { useMediaQuery } from '../layout/mediaQuery.js';
import { LinkButton } from '../parts/button.js';
import { Empty } from '../parts/empty.js';
import { Checkbox } from '../parts/field.js';
import { Loaded } from '../parts/loaded.js';
import { Page } from '../parts/page.js';
import { go, hrefOf } from '../routes.js';
import { useSearchParam } from '../searchParam.js';
import { useStore } from '../state/store.js';
import { theme } from '../state/theme.js';
import { Legend } from './legend.js';
import { type Mark, markOf as markOfIntent } from './palette.js';
import { PointTable } from './pointTable.js';
import { Scatter } from './scatter.js';

/** The bot's examples in two dimensions: what lies together is alike to the bot. */
export default function MapScreen({ bot }: { readonly bot: string }) {
  const map = useMap(bot);
  return (
    <Page title="Map" lead={map.data && leadOf(map.data)}>
      <Loaded query={map} what="Drawing the map">
        {(data) =>
          data.points.length === 0 ? (
            <Empty
              icon="map"
              title="Nothing to draw yet"
              action={<LinkButton to={hrefOf({ screen: 'intents', bot })}>Add examples</LinkButton>}
            >
              The map shows the examples of all intents: which are alike, and which lie among strangers.
            </Empty>
          ) : (
            <Chart bot={bot} map={data} />
          )
        }
      </Loaded>
    </Page>
  );
}

function leadOf({ shown, texts, method }: BotMap): string {
  const all = shown < texts ? `${count(shown)} of ${counted(texts, 'text')}` : counted(texts, 'text');
  return `${all}, near to one another where their meanings are (${method.toUpperCase()}). Circled: nearer to another intent than to its own.`;
}

const COUNTER: Record<'light' | 'dark', Mark> = {
  light: { colour: '#6b6b6b', shape: 'cross' },
  dark: { colour: '#9a9a9a', shape: 'cross' },
};

function Chart({ bot, map }: { readonly bot: string; readonly map: BotMap }) {
  const [chosen, setChosen] = useSearchParam('intents');
  const [outliersOnly, setOutliersOnly] = useState(false);
  const [picked, setPicked] = useState<MapPoint>();
  const isDark = useIsDark();

  const points = useMemo(() => fitted(map.points), [map.points]);
  const intents = useMemo(
    () => [...new Set(map.points.map(({ intent }) => intent))].filter((name) => name !== null).sort(),
    [map.points],
  );
  const selected = useMemo(
    () => new Set(chosen.split(',').filter(Boolean).map(decodeURIComponent)),
    [chosen],
  );
  const marks = useMemo(
    () => new Map(intents.map((name, i) => [name, markOfIntent(i, isDark)])),
    [intents, isDark],
  );
  const markOf = useCallback(
    ({ intent }: MapPoint) =>
      (intent === null ? undefined : marks.get(intent)) ?? COUNTER[isDark ? 'dark' : 'light'],
    [marks, isDark],
  );
  const isFaint = useCallback(
    ({ intent, outlier }: MapPoint) =>
      (selected.size > 0 && (intent === null || !selected.has(intent))) || (outliersOnly && !outlier),
    [selected, outliersOnly],
  );
  function toggle(intent: string) {
    const next = new Set(selected);
    if (!next.delete(intent)) next.add(intent);
    setChosen([...next].map(encodeURIComponent).join(','));
  }
  function open({ intent, id }: MapPoint) {
    const place =
      intent === null
        ? hrefOf({ screen: 'counterexamples', bot })
        : hrefOf({ screen: 'intents', bot, item: intent });
    go(`${place}#example-${id}`);
  }
  const outliers = map.points.filter(({ outlier }) => outlier).length;
  return (
    <>
      <div className="toolbar">
        <Checkbox
          label={`Outliers only (${count(outliers)})`}
          checked={outliersOnly}
          onChange={setOutliersOnly}
        />
        <span className="muted small wide-only">
          <kbd>+</kbd> <kbd>-</kbd> or the wheel zoom, dragging moves, a click opens the example
        </span>
      </div>
      <div className="map">
        <Scatter
          points={points}
          markOf={markOf}
          isFaint={isFaint}
          picked={picked}
          onPick={setPicked}
          onOpen={open}
          label={`Map of ${counted(map.shown, 'text')}.`}
        />
        <Legend
          intents={intents}
          marks={marks}
          selected={selected}
          onToggle={toggle}
          onClear={() => {
            setChosen('');
          }}
        />
      </div>
      <PointTable bot={bot} points={map.points.filter((point) => !isFaint(point))} />
    </>
  );
}

/** The points with both axes spread from -1 to 1: neither has a meaning of its own, and the frame is to be used. */
function fitted(points: readonly MapPoint[]): MapPoint[] {
  const spread = (values: readonly number[]) => {
    const least = Math.min(...values);
    const width = Math.max(...values) - least;
    return (value: number) => (width === 0 ? 0 : (2 * (value - least)) / width - 1);
  };
  const x = spread(points.map((point) => point.x));
  const y = spread(points.map((point) => point.y));
  return points.map((point) => ({ ...point, x: x(point.x), y: y(point.y) }));
}

function useIsDark(): boolean {
  const prefersDark = useMediaQuery('(prefers-color-scheme: dark)');
  const chosen = useStore(theme);
  return chosen === 'system' ? prefersDark : chosen === 'dark';
}
