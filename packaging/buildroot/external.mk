include $(sort $(wildcard $(BR2_EXTERNAL_IPCBOX_PATH)/package/*/*.mk))
