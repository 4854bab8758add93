set -e
DD_API_KEY=$(aws secretsmanager get-secret-value --region "$PIPELINE_AWS_REGION" --secret-id "$AGENT_SECRET" --query SecretString --output text)
export DD_API_KEY DD_SITE
curl -fsSL --retry 5 https://install.datadoghq.com/scripts/install_script_agent7.sh -o /tmp/datadog.sh
bash /tmp/datadog.sh
rm /tmp/datadog.sh
if [ -n "$https_proxy" ]; then
  printf 'proxy:\n  http: %s\n  https: %s\n' "$http_proxy" "$https_proxy" >> /etc/datadog-agent/datadog.yaml
  systemctl restart datadog-agent
fi
