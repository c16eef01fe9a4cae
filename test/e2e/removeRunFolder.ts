/** Jest takes one function of a file. */
export { removeRunFolder as default } from './runFolder.js';
