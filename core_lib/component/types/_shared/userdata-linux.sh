# Sets an instance up: surroundings, helper scripts, then what the stack describes. Ends with a signal to the stack.
# Sources: "cfn-init" and "cfn-signal" in the CloudFormation Template Reference.
set -euo pipefail
exec > >(tee -a /var/log/user-data.log | logger -t user-data) 2>&1

order() { sed -n "s/^$1=//p" /etc/pipeline/orders; }
region=$(order REGION)
stack=$(order STACK)
signals=$(order SIGNALS)
export PATH="$PATH:/opt/aws/bin:/usr/local/bin"

finish() {
  local code=$?
  echo "set up with exit code $code"
  cfn-signal --exit-code "$code" --region "$region" --stack "$stack" --resource "$signals"
}
trap finish EXIT

# What the deployment tells: variables of every shell, read line by line so that no value is ever executed.
cat > /etc/profile.d/deployment_information.sh <<'END-OF-FILE'
while IFS= read -r line; do
  case "$line" in ?*=*) export "${line%%=*}=${line#*=}" ;; esac
done < /etc/pipeline/environment
unset line
END-OF-FILE
set +u
. /etc/profile.d/deployment_information.sh
set -u

proxy=$(order PROXY)
if [ -n "$proxy" ]; then
  cat > /etc/profile.d/proxy.sh <<'END-OF-FILE'
http_proxy=$(sed -n 's/^PROXY=//p' /etc/pipeline/orders)
https_proxy=$http_proxy
HTTP_PROXY=$http_proxy
HTTPS_PROXY=$http_proxy
no_proxy="$(sed -n 's/^NO_PROXY=//p' /etc/pipeline/orders),169.254.169.254,localhost"
NO_PROXY=$no_proxy
export http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY
END-OF-FILE
  . /etc/profile.d/proxy.sh
  for file in /etc/dnf/dnf.conf /etc/yum.conf; do
    if [ -f "$file" ] && ! grep -q '^proxy=' "$file"; then echo "proxy=$proxy" >> "$file"; fi
  done
  if [ -d /etc/apt/apt.conf.d ]; then echo "Acquire::http::Proxy \"$proxy\";" > /etc/apt/apt.conf.d/90pipeline; fi
  if [ -d /etc/systemd/system ]; then
    install -d /etc/systemd/system/amazon-ssm-agent.service.d
    printf '[Service]\nEnvironment="https_proxy=%s" "no_proxy=%s"\n' "$https_proxy" "$no_proxy" \
      > /etc/systemd/system/amazon-ssm-agent.service.d/proxy.conf
    systemctl daemon-reload
  fi
fi

servers=$(order NAME_SERVERS)
if [ -n "$servers" ]; then
  if systemctl is-active --quiet systemd-resolved; then
    install -d /etc/systemd/resolved.conf.d
    printf '[Resolve]\nDNS=%s\n' "$servers" > /etc/systemd/resolved.conf.d/pipeline.conf
    systemctl restart systemd-resolved
  else
    { for server in $servers; do echo "nameserver $server"; done; echo 'options timeout:2 attempts:3'; } > /etc/resolv.conf
  fi
fi

get() { curl --fail --silent --show-error --location --retry 5 --output "$2" "$1"; }
add() {
  if command -v dnf > /dev/null; then dnf --assumeyes install "$@"
  elif command -v yum > /dev/null; then yum --assumeyes install "$@"
  elif command -v apt-get > /dev/null; then apt-get update && DEBIAN_FRONTEND=noninteractive apt-get --yes install "$@"
  else zypper --non-interactive install "$@"; fi
}

if ! command -v cfn-init > /dev/null; then
  add aws-cfn-bootstrap || {
    add python3-pip curl
    get https://s3.amazonaws.com/cloudformation-examples/aws-cfn-bootstrap-py3-latest.tar.gz /tmp/cfn-bootstrap.tar.gz
    python3 -m pip install /tmp/cfn-bootstrap.tar.gz || python3 -m pip install --break-system-packages /tmp/cfn-bootstrap.tar.gz
    rm /tmp/cfn-bootstrap.tar.gz
  }
fi

if ! systemctl list-unit-files 2> /dev/null | grep -q amazon-ssm-agent; then
  case "$(uname -m)" in aarch64) cpu=arm64 ;; *) cpu=amd64 ;; esac
  store="https://s3.$region.amazonaws.com/amazon-ssm-$region/latest"
  if command -v apt-get > /dev/null; then
    get "$store/debian_$cpu/amazon-ssm-agent.deb" /tmp/ssm.deb && dpkg --install /tmp/ssm.deb
  else
    get "$store/linux_$cpu/amazon-ssm-agent.rpm" /tmp/ssm.rpm && rpm --upgrade --replacepkgs /tmp/ssm.rpm
  fi
  systemctl enable --now amazon-ssm-agent
fi

cfn-init --verbose --region "$region" --stack "$stack" --resource "$(order DESCRIBED)" --configsets default

if [ "$(order BAKE)" = yes ]; then
  # What belongs to this instance alone stays out of the image.
  rm -rf /var/lib/cfn-init/data /etc/pipeline /opt/pipeline/context.* /etc/ssh/ssh_host_*_key*
  cloud-init clean --logs || true
  truncate --size 0 /etc/machine-id
  sync
fi
