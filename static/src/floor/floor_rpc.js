// Calls of the server from the shop floor: a refusal is not a lost connection.

import { ConnectionLostError, RPCError } from "@web/core/network/rpc";

/** Exceptions that say no for a reason that people can read; with any other answer nothing is known. */
const REFUSALS = ["UserError", "ValidationError", "AccessError", "MissingError", "AccessDenied"].map(
    (name) => `odoo.exceptions.${name}`
);

/** The server understood and refused; its message says why, and what can be done. */
export class Refusal extends Error {}

export function isConnectionLost(error) {
    return error instanceof ConnectionLostError;
}

/** The server asks to log in again. */
export function isSessionExpired(error) {
    return error instanceof RPCError && error.exceptionName === "odoo.http.SessionExpiredException";
}

/** Call a method without blocking the screen; a refusal becomes an error of its own kind. */
export async function callServer(orm, model, method, args = [], kwargs = {}) {
    try {
        return await orm.silent.call(model, method, args, kwargs);
    } catch (error) {
        if (error instanceof RPCError && REFUSALS.includes(error.exceptionName)) {
            throw new Refusal(error.data.message);
        }
        throw error;
    }
}
