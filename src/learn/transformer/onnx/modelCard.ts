import { markdownTable } from '../../report/markdown.js';
import type { BertShape } from '../bert.js';
import type { Agreement } from './checkEmbeddings.js';

/** A weights' file that was written and measured. */
export interface MeasuredFile extends Agreement {
  /** Within the model's folder. */
  readonly path: string;
  readonly purpose: string;
  readonly bytes: number;
}

export interface CardContent {
  readonly name: string;
  /** Name of the model that it was made from. */
  readonly base: string;
  /** What it was trained on, paragraphs of Markdown; absent where nothing was trained. */
  readonly trainedOn?: string | undefined;
  /** Which texts the ranges and the cosines are from, in Markdown. */
  readonly calibratedOn: string;
  readonly shape: BertShape;
  /** Longest input in tokens. */
  readonly maxTokens: number;
  readonly files: readonly MeasuredFile[];
}

/** The README.md of an exported encoder. */
export function modelCard({
  name,
  base,
  trainedOn,
  calibratedOn,
  shape,
  maxTokens,
  files,
}: CardContent): string {
  const { layers, width, heads } = shape;
  const rows = files.map(({ path, purpose, bytes, meanCosine, smallestCosine }) => [
    `\`${path}\``,
    purpose,
    `${(bytes / 1e6).toFixed(1)} MB`,
    meanCosine.toFixed(5),
    smallestCosine.toFixed(5),
  ]);
  return `# ${name}

A sentence encoder for kshot: a BERT of ${layers} layers, ${width} wide, ${heads} heads.

- **Base:** ${base}
- **Calibrated on:** ${calibratedOn}

## Training

${trainedOn ?? 'None beyond its base: it was only exported.'}

## Files

The cosines are between a file's embeddings and those of the parameters in float32, over the calibration texts.

${markdownTable(['file', 'for', 'size', 'mean cosine', 'smallest cosine'], rows)}
\`config.json\`, \`tokenizer.json\` and \`tokenizer_config.json\` are the base's, but for the name.

## Inputs and outputs

${markdownTable(
  ['name', 'type and shape', ''],
  [
    [
      '`input_ids`, `attention_mask`, `token_type_ids`',
      'int64 `[B, T]`',
      `T is ${maxTokens} at most; rows are filled up on the right`,
    ],
    [
      '`sentence_embedding`',
      `float32 \`[B, ${width}]\``,
      'mean over the tokens that are no padding, unit length',
    ],
    ['`last_hidden_state`', `float32 \`[B, T, ${width}]\``, 'one state a token'],
  ],
)}`;
}
