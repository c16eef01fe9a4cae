import { z } from 'zod';

const BOT_NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u;
// Control characters cannot be read. Put as ranges and without look-around: tools that make requests from the OpenAPI
// document understand little more.
const UNREADABLE = '\\u0000-\\u001f\\u007f-\\u009f';
const INTENT_NAME = new RegExp(
  `^[^\\s${UNREADABLE}]([^\\u2028\\u2029${UNREADABLE}]{0,126}[^\\s${UNREADABLE}])?$`,
  'u',
);
// These vanish from an address.
const DOT_SEGMENTS = ['.', '..'];

// Names that look the same are the same: all are brought to Unicode's composed form.
export const botName = z
  .string()
  .normalize('NFC')
  .regex(BOT_NAME, 'must be 1 to 64 letters, digits, ".", "_" or "-", and begin with a letter or digit')
  .meta({ description: 'Name of a bot', examples: ['bank'] });

/** Where a request may name one. */
export const askedVersion = botName.meta({
  description: 'A version of the bot, or an alias of one; the bot as it is now where it is left out',
  examples: ['production'],
});

export const intentName = z
  .string()
  .normalize('NFC')
  .regex(
    INTENT_NAME,
    'must be 1 to 128 characters, without control characters, and without blanks at either end',
  )
  .refine((name) => name.isWellFormed(), 'must not hold unpaired surrogates')
  .refine((name) => !DOT_SEGMENTS.includes(name), 'must not be "." or ".."')
  .meta({
    description: 'Name of an intent; in an address a slash is written %2F',
    minLength: 1,
    maxLength: 128,
    not: { enum: DOT_SEGMENTS },
    examples: ['card_lost'],
  });
