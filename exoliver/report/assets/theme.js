// Before anything is drawn: the theme that the reader chose on an earlier page, where the browser may remember one.
(() => {
  'use strict';
  try {
    const theme = localStorage.getItem('exoliver-theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // A browser that keeps nothing follows the system.
  }
})();
