/* Host bytes into a plan's inputs and out of its outputs: straight where host and device share them, through pinned memory
 * where the device has its own. */
#include "plan/build.h"
#include "plan/plan.h"

#include <string.h>

static enum oclnn_status stage(struct onn_plan *p, struct onn_plan_bound *b, const struct onn_desc *d)
{
    const enum oclnn_status status = onn_staging_create(p->ctx, onn_desc_bytes(d), &b->staging);
    p->stats.staging_bytes += onn_staging_bytes(b->staging);
    return status;
}

enum oclnn_status onn_plan_init_staging(struct onn_plan *p)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < p->graph->n_inputs; i++)
        ONN_TRY(stage(p, &p->in[i], onn_plan_input_desc(p, i)));
    for (int i = 0; i < p->graph->n_outputs && p->stage_outputs; i++)
        ONN_TRY(stage(p, &p->out[i], onn_plan_output_desc(p, i)));
fail:
    return status;
}

enum oclnn_status onn_plan_write(struct onn_plan *p, int i, const void *from, enum onn_plan_write how)
{
    struct onn_buffer *to = onn_plan_input(p, i);
    const size_t bytes = onn_desc_bytes(onn_plan_input_desc(p, i));
    void *at = how == ONN_WRITE_IDLE ? onn_buffer_host(to) : NULL;
    if (!bytes)
        return OCLNN_OK;
    if (p->in[i].staging)
        return onn_staging_write(p->in[i].staging, to, from);
    if (!at)
        return onn_buffer_write(p->ctx, to, 0, bytes, from, how == ONN_WRITE_TAKEN);
    memcpy(at, from, bytes);
    return OCLNN_OK;
}

const void *onn_plan_output_host(const struct onn_plan *p, int i)
{
    size_t offset;
    struct onn_buffer *from = onn_plan_output(p, i, &offset);
    const char *host = p->out[i].staging ? NULL : onn_buffer_host(from);
    return host ? host + offset : NULL;
}

enum oclnn_status onn_plan_read_start(struct onn_plan *p, int i, void *to, uint64_t run,
    struct onn_event **event)
{
    size_t offset;
    struct onn_buffer *from = onn_plan_output(p, i, &offset);
    if (p->out[i].staging)
        return onn_staging_read_start(p->out[i].staging, from, offset, to, run, event);
    return onn_buffer_read_start(p->ctx, from, offset, onn_desc_bytes(onn_plan_output_desc(p, i)), to, event);
}

enum oclnn_status onn_plan_settle(struct onn_plan *p, uint64_t run)
{
    enum oclnn_status status = OCLNN_OK;
    for (int i = 0; i < p->graph->n_outputs; i++) {
        const enum oclnn_status one =
            p->out[i].staging ? onn_staging_settle(p->out[i].staging, run) : OCLNN_OK;
        status = status == OCLNN_OK ? one : status;
    }
    return status;
}
