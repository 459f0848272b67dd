import { AlertDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";

/** Download the complete copy of a record, then show the digest that goes to the inspector on another way. */
registry.category("actions").add("mrp_mmr.bundle", async (env, action) => {
    const { model, id } = action.params;
    env.services.ui.block({ message: _t("The complete copy is being made …") });
    try {
        await download({ url: `/mrp_mmr/bundle/${model}/${id}.zip`, data: {} });
    } finally {
        env.services.ui.unblock();
    }
    const { name, digest } = await env.services.orm.call(model, "get_last_bundle", [[id]]);
    env.services.dialog.add(AlertDialog, {
        title: _t("%s was downloaded", name),
        body: _t(
            "Give this digest of its manifest to the receiver on another way, for instance on paper: %s. The audit trail has it too.",
            digest
        ),
    });
});
