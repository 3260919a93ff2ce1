# Completion of the oclnn tools for bash. Options come from the tool's own --help, so that none is missing.
_oclnn_words() {
    # The value after `option name`, and nothing where any file may stand.
    case $2 in
    -d | --device | --compare-device) echo gpu cpu best all 'name~' uuid= ;;
    --loss) echo softmax-ce nll bce bce-logits focal mse l1 huber kl dice dice-logits ;;
    --class-weights) echo balanced ;;
    --monitor) echo loss accuracy iou ;;
    --init) echo default kaiming-uniform kaiming-normal xavier-uniform xavier-normal orthogonal he-uniform he-normal glorot-uniform glorot-normal ;;
    --optimizer) echo sgd adam adamw rmsprop adagrad lars lamb ;;
    --schedule) echo constant step multi-step exponential polynomial cosine one-cycle plateau ;;
    --augment) echo flip flip-vertical crop: resize: rotate: shear: zoom: brightness: contrast: saturation: cutout: mixup: ;;
    --val | --test | --eval) echo mnist: cifar10: npy: folder: ;;
    --data) [ "$1" = oclnn-train ] && echo mnist: cifar10: npy: folder: masks: ;;
    --format) echo plain nhwc c8 c16 ;;
    --dtype) echo f32 f16 ;;
    --layout) echo nchw nhwc ;;
    --verify) echo auto off strict ;;
    -o) echo table md csv json jsonl ;;
    esac
}

_oclnn() {
    local tool=${1##*/} current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words
    COMPREPLY=()
    if [[ $current == -* ]]; then
        words=$("$1" --help 2>/dev/null | grep -oE '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,')
    else
        words=$(_oclnn_words "$tool" "$previous")
        # A first word that is no value: a built-in network or a file.
        [[ -z $words && $previous != -* && $tool != oclnn-info ]] &&
            words=$("${1%"$tool"}oclnn-info" --networks 2>/dev/null | awk '{ print $1 }')
        COMPREPLY=($(compgen -f -- "$current"))
        compopt -o filenames 2>/dev/null
    fi
    COMPREPLY+=($(compgen -W "$words" -- "$current"))
}

complete -F _oclnn oclnn-bench oclnn-info oclnn-run oclnn-train
