set -e
if command -v dpkg > /dev/null; then dpkg -i /opt/pipeline/nessus.package; else rpm -U --replacepkgs /opt/pipeline/nessus.package; fi
key=$(aws secretsmanager get-secret-value --region "$PIPELINE_AWS_REGION" --secret-id "$AGENT_SECRET" --query SecretString --output text)
/opt/nessus_agent/sbin/nessuscli agent link --key="$key" --host="$AGENT_HOST" --port="$AGENT_PORT" --groups="$AGENT_GROUPS" --name="$AGENT_NAME"
systemctl enable --now nessusagent
