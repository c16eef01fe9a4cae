/** What holds where a bot did not choose, as the API documents it (src/classify/settings.ts). */
export const DEFAULT_THRESHOLD = 0.5;
