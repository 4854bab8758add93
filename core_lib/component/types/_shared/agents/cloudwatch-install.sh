set -e
case "$(uname -m)" in aarch64) cpu=arm64 ;; *) cpu=amd64 ;; esac
store=https://amazoncloudwatch-agent.s3.amazonaws.com
. /etc/os-release
case "$ID" in
  amzn) if command -v dnf; then dnf -y install amazon-cloudwatch-agent; else yum -y install amazon-cloudwatch-agent; fi ;;
  ubuntu | debian)
    curl -fsSL --retry 5 -o /tmp/cloudwatch.deb "$store/$ID/$cpu/latest/amazon-cloudwatch-agent.deb"
    dpkg -i /tmp/cloudwatch.deb && rm /tmp/cloudwatch.deb ;;
  *)
    case "$ID" in sles* | suse) system=suse ;; *) system=redhat ;; esac
    curl -fsSL --retry 5 -o /tmp/cloudwatch.rpm "$store/$system/$cpu/latest/amazon-cloudwatch-agent.rpm"
    rpm -U --replacepkgs /tmp/cloudwatch.rpm && rm /tmp/cloudwatch.rpm ;;
esac
