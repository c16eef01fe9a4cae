import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { unknownVariables } from '../../src/config.js';

// Needs helm: KSHOT_TEST_HELM names the program.

const HELM = process.env['KSHOT_TEST_HELM'];
const CHART = fileURLToPath(new URL('../../../deploy/helm/kshot', import.meta.url));
const KEY = 'k'.repeat(16);
const ALONE = ['auth.existingSecret=keys'];
const IN_STORE = ['store.existingSecret=db', 'auth.keysInStore=true'];
const SEVERAL = [...ALONE, 'store.existingSecret=db', 'autoscaling.enabled=true'];

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Record<string, unknown>;
}
interface Container {
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

/** By kind; the workers' deployment as `Worker`. */
function render(values: readonly string[]): Map<string, Manifest> {
  const args = ['template', 'kshot', CHART, ...values.flatMap((value) => ['--set', value])];
  const text = execFileSync(HELM!, args, { encoding: 'utf8', stdio: 'pipe' });
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest | null);
  return new Map(manifests.flatMap((manifest) => (manifest === null ? [] : [[keyOf(manifest), manifest]])));
}

function keyOf({ kind, metadata }: Manifest): string {
  return metadata.name.endsWith('-worker') ? 'Worker' : kind;
}

function podOf(manifests: Map<string, Manifest>, deployment = 'Deployment') {
  const { template } = manifests.get(deployment)!.spec as {
    template: { spec: { containers: [Container]; volumes: object[]; securityContext: object } };
  };
  return template.spec;
}

(HELM === undefined ? describe.skip : describe)('the chart, rendered (KSHOT_TEST_HELM)', () => {
  test('is one replica with a volume where there is no store to share', () => {
    const manifests = render(ALONE);
    expect([...manifests.keys()].sort()).toEqual([
      'Deployment',
      'NetworkPolicy',
      'PersistentVolumeClaim',
      'Service',
      'ServiceAccount',
    ]);
    expect(manifests.get('Deployment')!.spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    expect(podOf(manifests).volumes).toContainEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'kshot' },
    });
  });

  test('is several that scale where there is one', () => {
    const manifests = render(SEVERAL);
    expect([...manifests.keys()]).not.toContain('PersistentVolumeClaim');
    expect(manifests.get('Deployment')!.spec).not.toHaveProperty('replicas');
    expect(manifests.get('PodDisruptionBudget')!.spec).toMatchObject({ maxUnavailable: 1 });
    const { metrics } = manifests.get('HorizontalPodAutoscaler')!.spec as { metrics: { type: string }[] };
    expect(metrics.map(({ type }) => type)).toEqual(['Pods', 'Resource']);
  });

  test('runs without privileges, on a file system that cannot be written to', () => {
    const pod = podOf(render(ALONE));
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001 });
    expect(pod.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.containers[0].volumeMounts.map(({ mountPath }) => mountPath)).toEqual(['/data', '/tmp']);
  });

  test('sets variables that the server reads, long numbers whole', () => {
    const { env } = podOf(render([...SEVERAL, 'settings.maxImportBytes=33554432'])).containers[0];
    const names = env.map(({ name }) => name);
    expect(unknownVariables(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
    expect(env).toContainEqual({ name: 'KSHOT_MAX_IMPORT_BYTES', value: '33554432' });
  });

  test('has workers run the jobs where they are asked for, which no service leads to', () => {
    const manifests = render([...SEVERAL, 'worker.replicas=2', 'worker.resources.requests.cpu=4']);
    const [worker] = podOf(manifests, 'Worker').containers;
    expect(worker).toMatchObject({ args: ['worker'], resources: { requests: { cpu: 4 } } });
    const [server] = podOf(manifests).containers;
    expect(server.args).toBeUndefined();
    const runsNone = { name: 'KSHOT_RUN_JOBS', value: 'false' };
    expect(server.env).toContainEqual(runsNone);
    expect(worker.env).not.toContainEqual(runsNone);
    const component = (name: string) => ({ 'app.kubernetes.io/component': name });
    expect(manifests.get('Service')!.spec).toMatchObject({ selector: component('server') });
    expect(manifests.get('Worker')!.spec).toMatchObject({ selector: { matchLabels: component('worker') } });
  });

  test('needs no secret of keys where they are in the store', () => {
    const { env } = podOf(render(IN_STORE)).containers[0];
    expect(env.map(({ name }) => name)).not.toContain('KSHOT_API_KEYS');
  });

  test.each([
    ['no keys', []],
    ['keys in a store that nobody reaches before it starts', ['auth.keysInStore=true']],
    ['keys in the store, and none for Prometheus', [...IN_STORE, 'serviceMonitor.enabled=true']],
    ['keys, and none', [...ALONE, 'auth.insecureNoAuth=true']],
    ['a short key', ['auth.apiKeys=short']],
    ['replicas without a store to share', [...ALONE, 'replicaCount=2']],
    ['workers without a store to share', [...ALONE, 'worker.replicas=1']],
    ['fewer at most than at least', [...SEVERAL, 'autoscaling.maxReplicas=1']],
    ['a setting that the chart itself makes', [...ALONE, 'settings.port=80']],
    ['a value that there is not', [...ALONE, 'replicas=3']],
    ['a key for Prometheus that is missing', [`auth.apiKeys=${KEY}`, 'serviceMonitor.enabled=true']],
  ])('refuses %s', (_, values) => {
    expect(() => render(values)).toThrow();
  });
});
