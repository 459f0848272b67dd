// Registers this browser as a terminal.

import { _t } from "@web/core/l10n/translation";
import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";

/** The browser of this session becomes a terminal: the server puts the key into a cookie that scripts cannot read. */
registry.category("actions").add("mrp_mmr.register_terminal", async (env, action) => {
    const name = await rpc("/mrp_mmr/terminal/register", action.params);
    env.services.notification.add(_t("This browser is now the terminal %s.", name), { type: "success" });
    return { type: "ir.actions.client", tag: "soft_reload" };
});
