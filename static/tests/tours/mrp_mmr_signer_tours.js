// Tours of signing at a shared terminal and of the signing password.

import { addTour } from "./add_tour";

const PASSWORD = "A-long-password-1";

/** A colleague signs for the first time, in the session of somebody else. */
addTour("mrp_mmr_shared_terminal", {
    steps: () => [
        { trigger: "button[name=action_approve]", run: "click" },
        { trigger: ".o_mrp_mmr_sign:contains(A colleague may sign here)" },
        { trigger: ".o_mrp_mmr_sign input[name=login]", run: "edit t_colleague" },
        { trigger: ".o_mrp_mmr_sign input[name=password]", run: `edit ${PASSWORD}` },
        { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
        { trigger: ".o_mrp_mmr_acceptance:contains(Test t_colleague):contains(legally binding)" },
        { trigger: ".o_mrp_mmr_sign input[name=password]", run: `edit ${PASSWORD}` },
        { trigger: ".o_mrp_mmr_sign_button:disabled:contains(Accept and Sign)" },
        { trigger: ".o_mrp_mmr_acceptance input[name=accept]", run: "click" },
        { trigger: ".o_mrp_mmr_sign_button:enabled", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Effective)" },
        { trigger: ".nav-link[name=signatures]", run: "click" },
        { trigger: ".o_field_widget[name=signature_ids] .o_data_row:contains(Approved):contains(Test t_colleague):contains(UTC)" },
        // The person who is logged in still is.
        { trigger: ".o_user_menu button, .o_user_menu .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu [data-menu=preferences], .dropdown-menu [data-menu=preferences], [data-menu=settings]" },
    ],
});

/** The owner sets the signing password in the preferences. */
addTour("mrp_mmr_signing_password", {
    steps: () => [
        { trigger: ".o_user_menu button, .o_user_menu .dropdown-toggle", run: "click" },
        { trigger: "[data-menu=preferences], [data-menu=settings]", run: "click" },
        { trigger: ".nav-link[name=mmr_signature]", run: "click" },
        { trigger: "button[name=action_mmr_signing_password]", run: "click" },
        { trigger: ".o_mrp_mmr_signing_password input[name=current]", run: `edit ${PASSWORD}` },
        { trigger: ".o_mrp_mmr_signing_password input[name=new]", run: "edit Another-password-2" },
        { trigger: ".o_mrp_mmr_signing_password input[name=again]", run: "edit Another-password-2" },
        { trigger: ".o_mrp_mmr_signing_password .btn-primary:enabled", run: "click" },
        { trigger: ".o_notification:contains(Your signing password is set)" },
    ],
});

const fromBase64Url = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const toBase64Url = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** Answer like an authenticator, with the RSA key of a cookie: no browser asks a device for an address of digits. */
async function answerWithCookie(options) {
    const cookie = document.cookie.split("; ").find((part) => part.startsWith("test_passkey="));
    const { jwk, id, origin } = JSON.parse(new TextDecoder().decode(fromBase64Url(cookie.slice("test_passkey=".length))));
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
    const client = new TextEncoder().encode(
        JSON.stringify({ type: "webauthn.get", challenge: options.challenge, origin, crossOrigin: false })
    );
    const server = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(options.rpId)));
    const data = new Uint8Array([...server, 5, 0, 0, 0, 0]);
    const message = new Uint8Array([...data, ...new Uint8Array(await crypto.subtle.digest("SHA-256", client))]);
    const signature = await crypto.subtle.sign(algorithm, key, message);
    return {
        id,
        rawId: id,
        type: "public-key",
        response: {
            authenticatorData: toBase64Url(data),
            clientDataJSON: toBase64Url(client),
            signature: toBase64Url(signature),
        },
    };
}

const useCookie = {
    trigger: "body",
    run: () => {
        odoo.loader.modules.get("@auth_passkey/../lib/simplewebauthn").startAuthentication = answerWithCookie;
    },
};

/** The owner makes the own passkey the own key in the preferences. */
addTour("mrp_mmr_make_passkey", {
    steps: () => [
        useCookie,
        { trigger: ".o_user_menu button, .o_user_menu .dropdown-toggle", run: "click" },
        { trigger: "[data-menu=preferences], [data-menu=settings]", run: "click" },
        { trigger: ".nav-link[name=mmr_signature]", run: "click" },
        { trigger: "button[name=action_mmr_make_key]", run: "click" },
        { trigger: ".o_mrp_mmr_own_passkey", run: "click" },
        { trigger: ".o_mrp_mmr_key:contains(Fingerprint of your key)" },
    ],
});

/** The preparer signs with the passkey. */
addTour("mrp_mmr_sign_passkey", {
    steps: () => [
        useCookie,
        { trigger: "button[name=action_submit]", run: "click" },
        { trigger: ".o_mrp_mmr_sign input[name=login]", run: "edit t_preparer" },
        { trigger: ".o_mrp_mmr_sign_passkey:enabled", run: "click" },
        { trigger: ".o_statusbar_status .o_arrow_button_current:contains(Submitted)" },
    ],
});

/** The administrator reads the set-up page, opens the work centers, and comes back. */
addTour("mrp_mmr_setup_page", {
    steps: () => [
        { trigger: ".o_mrp_mmr_setup_count:contains(done)" },
        { trigger: "[data-key=role_security]:contains(may sign)" },
        { trigger: "[data-key=workcenters] button", run: "click" },
        { trigger: ".o_list_view, .o_kanban_view" },
        { trigger: ".o_breadcrumb a:contains(GMP Set-Up), .breadcrumb-item a:contains(GMP Set-Up)", run: "click" },
        { trigger: "[data-key=workcenters][data-state=done]" },
    ],
});
