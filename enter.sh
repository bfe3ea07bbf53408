set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$LAYER/upper,workdir=$LAYER/work" "$LAYER/merged"
mkdir -p "$LAYER/merged/proc" "$LAYER/merged/dev"
mount -t proc proc "$LAYER/merged/proc"
mount --bind /dev "$LAYER/merged/dev"
if [ -n "$READ_ONLY" ]; then
  mount -o remount,ro "$LAYER/merged"
  mount -t tmpfs tmpfs "$LAYER/merged/tmp"
fi
exec chroot --userspec="$USER_ID:$USER_ID" --groups= "$LAYER/merged" "$@"
