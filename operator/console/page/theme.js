// Dark or light: as the system says, until somebody chooses. Runs before the page is drawn, so it is no module.

(() => {
  const KEY = 'flashsale-theme';
  const THEMES = ['system', 'light', 'dark'];
  const root = document.documentElement;

  /** Where a browser keeps nothing for us, the choice lasts as long as the page. */
  const remembered = () => {
    try {
      return localStorage.getItem(KEY) ?? 'system';
    } catch {
      return 'system';
    }
  };

  /** @param {string} theme */
  const apply = (theme) => {
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    else delete root.dataset.theme;
    // Charts are painted, not styled: they have to be told.
    dispatchEvent(new Event('theme'));
  };

  apply(remembered());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => dispatchEvent(new Event('theme')));
  addEventListener('DOMContentLoaded', () => {
    const button = document.querySelector('#theme');
    let theme = remembered();
    const show = () => {
      if (button) button.textContent = `Theme: ${theme}`;
    };
    show();
    button?.addEventListener('click', () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
      try {
        localStorage.setItem(KEY, theme);
      } catch {
        // It lasts as long as the page.
      }
      apply(theme);
      show();
    });
  });
})();
