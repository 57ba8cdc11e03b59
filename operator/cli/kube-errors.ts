// What an API server refused, in one line that says what to do. Pure.

import { UserError } from '../../dataplane/runtime/user-error.ts';
import { KubeError } from '../kube/errors.ts';

export const NOT_INSTALLED =
  'this cluster has no FlashSale resource; install the operator first: helm install flashsale-operator charts/flashsale-operator --namespace flashsale-system --create-namespace';

/** A collection that is not served: the resource is not installed. */
export const isNotServed = (error: unknown): boolean => error instanceof KubeError && error.status === 404;

export const isForbidden = (error: unknown): boolean => error instanceof KubeError && error.status === 403;

/** Returns a `UserError` for what a person can do something about, and any other error as it is. `server` is the API server's address. */
export function inWords(error: unknown, server: string): unknown {
  if (!(error instanceof KubeError)) return error;
  const said = saidBy(error);
  switch (error.status) {
    case 0:
      return new UserError(unanswered(error, said, server));
    case 401:
      return new UserError(`the cluster at ${server} does not know you; log in again, or choose another --context`);
    case 403:
      return new UserError(forbidden(said));
    case 429:
    case 503:
      return new UserError(`the cluster at ${server} is too busy; try again in a moment`);
    default:
      return new UserError(`the cluster refused it: ${said}`);
  }
}

/** Returns the message without the request, the status and the reason, which stand before it. */
export const saidBy = ({ message, status, reason }: KubeError): string =>
  message.replace(/^[A-Z]+ \S+: /, '').replace(new RegExp(`^${status} (?:${reason} )?`), '');

function unanswered({ reason }: KubeError, said: string, server: string): string {
  if (reason === 'Timeout') return `the cluster at ${server} does not answer`;
  if (/certificate|self.signed|CERT_/i.test(said))
    return `the cluster at ${server} shows a certificate that the kubeconfig does not trust: ${said}`;
  return `the cluster at ${server} cannot be reached${said === '' ? '' : `: ${said.replace(/^cannot be reached \((.*)\)$/, '$1')}`}`;
}

/** Matches a message such as `… is forbidden: User "ada" cannot list resource "flashsales" in API group "flashsale.dev" in the namespace "shop"` */
const CANNOT =
  /User "([^"]*)" cannot (\w+) resource "([^"]*)"(?: in API group "[^"]*")?(?: in the namespace "([^"]*)")?/;

function forbidden(said: string): string {
  const [, user, verb, resource, namespace] = CANNOT.exec(said) ?? [];
  if (user === undefined) return `the cluster forbids it: ${said}`;
  const where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
  return `${user} may not ${verb} ${resource} ${where}; ask whoever runs the cluster, or choose another --context or --namespace`;
}
