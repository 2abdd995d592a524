/**
 * Inside DingTalk's client the page asks who has opened it: the code is good for five minutes and one use.
 * @module
 */

const form = /** @type {HTMLFormElement | null} */ (document.getElementById('inside'));
const dd = /** @type {any} */ (globalThis).dd;
// A client that is too old for the one has the other.
const asks = dd?.requestAuthCode ? dd : dd?.runtime?.permission;
if (form && asks?.requestAuthCode && form.dataset.corp) {
  asks.requestAuthCode({
    corpId: form.dataset.corp,
    clientId: form.dataset.client,
    onSuccess: send,
    onFail: () => {}, // the button for DingTalk's login page is there all the same
    success: send,
    fail: () => {},
  });
}

/** @param {{code?: string, authCode?: string}} given */
function send(given) {
  if (!form || form.dataset.sent) return;
  form.dataset.sent = 'yes';
  /** @type {HTMLInputElement} */ (form.elements.namedItem('code')).value = given.code ?? given.authCode ?? '';
  form.submit();
}
