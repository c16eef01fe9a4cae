import { Store } from './store.js';

export type Theme = 'system' | 'light' | 'dark';

const PLACE = 'kshot-theme';

function stored(): Theme {
  const value = localStorage.getItem(PLACE);
  return value === 'light' || value === 'dark' ? value : 'system';
}

/** What was chosen; public/theme.js applies it before the page is painted. */
export const theme = new Store<Theme>(stored());

export function chooseTheme(next: Theme): void {
  if (next === 'system') {
    localStorage.removeItem(PLACE);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(PLACE, next);
    document.documentElement.dataset.theme = next;
  }
  theme.set(next);
}
