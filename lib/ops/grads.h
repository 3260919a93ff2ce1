/* The gradient callbacks (lib/ops/…_grad.c), to be named in the operators' descriptors as .grad. */
#ifndef ONN_OPS_GRADS_H
#define ONN_OPS_GRADS_H

#include "ops/grad.h"

typedef enum oclnn_status onn_grad_fn(struct onn_grad *g, const struct onn_prob *p);

onn_grad_fn onn_ew_grad; /* every row of elementwise.c and ew_loss.c */
onn_grad_fn onn_conv_grad, onn_convtranspose_grad;
onn_grad_fn onn_gemm_grad, onn_matmul_grad;
onn_grad_fn onn_maxpool_grad, onn_averagepool_grad;
onn_grad_fn onn_reduce_grad; /* reductions and global pools */
onn_grad_fn onn_softmax_grad, onn_logsoftmax_grad;
onn_grad_fn onn_batchnorm_grad, onn_norm_rows_grad, onn_mvn_grad, onn_lpnorm_grad, onn_lrn_grad;
onn_grad_fn onn_concat_grad, onn_split_grad, onn_slice_grad, onn_pad_grad;
onn_grad_fn onn_reshape_grad, onn_transpose_grad, onn_expand_grad, onn_tile_grad, onn_space_grad;
onn_grad_fn onn_gather_grad, onn_gatherelements_grad, onn_gathernd_grad, onn_scatter_grad;
onn_grad_fn onn_topk_grad, onn_cumsum_grad, onn_same_grad;
onn_grad_fn onn_resize_grad, onn_lstm_grad;
onn_grad_fn onn_dropout_grad, onn_cross_entropy_grad;

#endif
