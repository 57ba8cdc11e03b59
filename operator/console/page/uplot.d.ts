// The server gives the page the charting library under this name.

export { default } from 'uplot';
